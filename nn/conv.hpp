#pragma once

#include <scry/autograd/ops/conv.hpp>
#include <scry/autograd/ops/pad.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

struct Conv2dOptions {
  Pair kernel;
  Pair stride = 1;
  Padding padding = 0;
  Pair dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  ///< what the padding shows; the constant is 0
  DType dtype = f32;
};
using Conv1dOptions = Conv2dOptions;

struct ConvTranspose2dOptions {
  Pair kernel;
  Pair stride = 1;
  Padding padding = 0;
  Pair output_padding = 0;
  int64_t groups = 1;
  bool bias = true;
  Pair dilation = 1;
  DType dtype = f32;
};
using ConvTranspose1dOptions = ConvTranspose2dOptions;

/// Convolution of images: [N, in, H, W] -> [N, out, OH, OW], see scry::conv2d, or in one dimension of sequences: [N, in, L] -> [N, out, OL].
/// Parameters: weight [out, in / groups, KH, KW] ([out, in / groups, K]) and bias [out]. Initialisation: uniform ±1/√(in / groups KH KW), as
/// PyTorch.
template <int dimensions>
struct Conv : Module<Conv<dimensions>> {
  Conv(int64_t in, int64_t out, const Conv2dOptions& options);
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  Conv2dOptions options;
  Tensor weight, bias;
};
using Conv1d = Conv<1>;
using Conv2d = Conv<2>;

/// Transposed convolution, see scry::conv_transpose2d: [N, in, H, W] -> [N, out, OH, OW], in one dimension [N, in, L] -> [N, out, OL].
/// Parameters: weight [in, out / groups, KH, KW] ([in, out / groups, K]) and bias [out]. Initialisation: uniform ±1/√(out / groups KH KW), as
/// PyTorch.
template <int dimensions>
struct ConvTranspose : Module<ConvTranspose<dimensions>> {
  ConvTranspose(int64_t in, int64_t out, const ConvTranspose2dOptions& options);
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  ConvTranspose2dOptions options;
  Tensor weight, bias;
};
using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;

extern template struct Conv<1>;
extern template struct Conv<2>;
extern template struct ConvTranspose<1>;
extern template struct ConvTranspose<2>;

}  // namespace scry::nn
