#pragma once

#include <scry/autograd/ops/conv.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

struct Conv2dOptions {
  Pair kernel;
  Pair stride = 1;
  Pair padding = 0;  ///< zeros on each side
  Pair dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  DType dtype = f32;
};

/// Convolution of images: [N, in, H, W] -> [N, out, OH, OW], see scry::conv2d. Parameters: weight [out, in / groups, KH, KW] and bias [out].
/// Initialisation: uniform ±1/√(in / groups KH KW), as PyTorch.
struct Conv2d : Module<Conv2d> {
  Conv2d(int64_t in, int64_t out, const Conv2dOptions& options);
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  Conv2dOptions options;
  Tensor weight, bias;
};

}  // namespace scry::nn
