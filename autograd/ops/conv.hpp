#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// A number for the height and one for the width of an image; one number stands for both.
struct Pair {
  Pair(int64_t both) : height(both), width(both) {}
  Pair(int64_t of_height, int64_t of_width) : height(of_height), width(of_width) {}
  int64_t height, width;
};

struct Conv2dOptions {
  Pair stride = 1;
  Pair padding = 0;  ///< zeros on each side
  Pair dilation = 1;
  int64_t groups = 1;
};

/// The convolution (without turning the kernel, as everywhere in deep learning) of x: [N, C, H, W] with weight: [O, C / groups, KH, KW], plus
/// bias: [O] or undefined; f32 or f64. The result is [N, O, OH, OW] with OH = (H + 2 padding - dilation (KH - 1) - 1) / stride + 1, rounded down.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

}  // namespace scry
