#pragma once

#include <scry/autograd/ops/window.hpp>

namespace scry {

struct UnfoldOptions {
  Pair kernel;
  Pair stride = 1;
  Pair padding = 0;  ///< zeros on each side
  Pair dilation = 1;
};

/// The windows that a convolution would look at, as columns (torch.nn.Unfold, "im2col"): [N, C, H, W] -> [N, C KH KW, L], with L = OH OW as for
/// conv2d. An image without a batch, [C, H, W], gives [C KH KW, L]. Any type. Gradient: fold.
Tensor unfold(const Tensor& x, const UnfoldOptions& options);
/// The sum of the windows in the columns at their places in images of `size` (torch.nn.Fold, "col2im"): the reverse of the shapes above.
/// Gradient: unfold.
Tensor fold(const Tensor& columns, Pair size, const UnfoldOptions& options);

}  // namespace scry
