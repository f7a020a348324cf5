#pragma once

#include <scry/autograd/ops/window.hpp>

namespace scry {

struct Conv2dOptions {
  Pair stride = 1;
  Padding padding = 0;  ///< zeros
  Pair dilation = 1;
  int64_t groups = 1;
};
using Conv1dOptions = Conv2dOptions;

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Padding padding = 0;      ///< of the convolution that is transposed: so much is cut off the result
  Pair output_padding = 0;  ///< more places at the end of the result, less than the stride or the dilation
  int64_t groups = 1;
  Pair dilation = 1;
};
using ConvTranspose1dOptions = ConvTranspose2dOptions;

// Types are f32 or f64. The bias, of the size of the result's channels, may be undefined.
/// The convolution (without turning the kernel, as everywhere in deep learning) of x: [N, C, H, W] with weight: [O, C / groups, KH, KW]. The result
/// is [N, O, OH, OW] with OH = (H + padding before and after - dilation (KH - 1) - 1) / stride + 1, rounded down.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});
/// The same of x: [N, C, L] with weight: [O, C / groups, K].
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv1dOptions& options = {});

/// The gradient of a convolution in its input, as a layer of its own ("deconvolution"): every element of x: [N, C, H, W] times the kernel is
/// added into the result. weight: [C, O / groups, KH, KW]; the result is [N, O, OH, OW] with OH = (H - 1) stride - padding before and after +
/// dilation (KH - 1) + output_padding + 1.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvTranspose2dOptions& options = {});
/// The same of x: [N, C, L] with weight: [C, O / groups, K].
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvTranspose1dOptions& options = {});

}  // namespace scry
