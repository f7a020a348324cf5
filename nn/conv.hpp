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

/// Convolution of images: [N, in, H, W] -> [N, out, OH, OW], see scry::conv2d, or in one dimension of sequences: [N, in, L] -> [N, out, OL];
/// `transposed`, see scry::conv_transpose2d. Parameters: weight [out, in / groups, KH, KW], transposed [in, out / groups, KH, KW] (in one
/// dimension without KH), and bias [out]. Initialisation: uniform ±1/√(the weight's second size times KH KW), as PyTorch.
template <int dimensions, bool transposed>
struct Convolution : Module<Convolution<dimensions, transposed>> {
  using Options = std::conditional_t<transposed, ConvTranspose2dOptions, Conv2dOptions>;
  Convolution(int64_t in, int64_t out, const Options& options);
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  Options options;
  Tensor weight, bias;
};
using Conv1d = Convolution<1, false>;
using Conv2d = Convolution<2, false>;
using ConvTranspose1d = Convolution<1, true>;
using ConvTranspose2d = Convolution<2, true>;

extern template struct Convolution<1, false>;
extern template struct Convolution<2, false>;
extern template struct Convolution<1, true>;
extern template struct Convolution<2, true>;

}  // namespace scry::nn
