#pragma once

#include <scry/autograd/ops/conv.hpp>
#include <optional>

namespace scry {

struct Pool2dOptions {
  std::optional<Pair> stride = std::nullopt;  ///< the kernel's size where it isn't given
  Pair padding = 0;                           ///< on each side; at most half the kernel
  bool ceil_mode = false;                     ///< round the output's size up: windows may reach past the end
};

/// The largest value in each window of x: [N, C, H, W], f32 or f64; padding takes no part, NaN wins. Gradient: to the first largest.
Tensor max_pool2d(const Tensor& x, Pair kernel, const Pool2dOptions& options = {});

/// The mean of each window of x: [N, C, H, W], f32 or f64; zeros of the padding count, unless `count_include_pad` is off.
Tensor avg_pool2d(const Tensor& x, Pair kernel, const Pool2dOptions& options = {}, bool count_include_pad = true);

}  // namespace scry
