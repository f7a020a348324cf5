#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// What batch normalisation keeps between batches: f64 or f32 tensors of shape [C], changed in place.
struct RunningStatistics {
  Tensor mean, variance;
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  ///< the share of the new batch in the running statistics
  bool training = true;   ///< normalise by the batch's own statistics, else by the running ones
};

/// (x - mean) / sqrt(variance + eps) * weight + bias by channel (Ioffe and Szegedy 2015, algorithm 1). x: [N, C, …], f32 or f64; weight and
/// bias: [C], or both undefined. In training the running statistics, where defined, move towards the batch's, with its unbiased variance as in
/// PyTorch; that needs more than one value a channel.
Tensor batch_norm(Tensor x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias, const BatchNormOptions& options = {});

}  // namespace scry
