#pragma once

#include <scry/nn/module.hpp>

namespace scry::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< the share of the new batch in the running statistics
  bool affine = true;     ///< whether there are a weight and a bias
  DType dtype = f32;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias by channel of [N, C, H, W] (Ioffe and Szegedy 2015): by the batch's statistics in training,
/// by running ones in evaluation. Parameters: weight and bias [C], 1 and 0 at first. Buffers: running_mean, running_var [C] and
/// num_batches_tracked (i64), as PyTorch.
struct BatchNorm2d : Module<BatchNorm2d> {
  explicit BatchNorm2d(int64_t channels, BatchNormOptions options = {});
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  BatchNormOptions options;
  Tensor weight, bias;
  Tensor running_mean, running_var, num_batches_tracked;
};

}  // namespace scry::nn
