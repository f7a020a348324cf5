#pragma once

#include <scry/core/kernels/layout.hpp>
#include <array>

namespace scry::kernels {

/// How the windows of a convolution or a pooling lie on an image; of each pair the first is for the height, the second for the width.
struct Window2d {
  using Pair = std::array<int64_t, 2>;
  Pair kernel{1, 1};
  Pair stride{1, 1};
  Pair padding_before{0, 0};
  Pair padding_after{0, 0};  // less than 0 where so much of the image isn't looked at
  Pair dilation{1, 1};
  Pair results{0, 0};  // in max_pool2d, where not 0: so many windows that share the image out, from i size / n to (i + 1) size / n rounded up;
                       // the kernel is the largest of them
};

/// How many windows fit along `axis` (0: height, 1: width) of an image `size` long. With `ceil_mode` a last one may reach past the padding,
/// if it starts before the padding behind the image. Errors name `op`.
int64_t window_count(std::string_view op, const Window2d& window, int axis, int64_t size, bool ceil_mode = false);

}  // namespace scry::kernels
