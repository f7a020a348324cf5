#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Normalisation of x: [N, C, spatial…] by channel, f32 or f64. Statistics are f64 tensors of shape [C].

struct ChannelStatistics {
  Tensor mean;
  Tensor variance;  ///< of the population: divided by the number of values
};

/// Mean and variance of each channel, in one pass over x.
ChannelStatistics channel_statistics(const Tensor& x);

/// (x - mean) / sqrt(variance + eps) * weight + bias; weight and bias: [C] of x's type, or both undefined for 1 and 0.
Tensor batch_norm(const Tensor& x, const ChannelStatistics& statistics, const Tensor& weight, const Tensor& bias, double eps);

struct BatchNormGradients {
  Tensor input, weight, bias;
};

/// The gradients of batch_norm for a gradient g of its result. `training` says that the statistics are x's own and depend on it.
BatchNormGradients batch_norm_gradients(const Tensor& g, const Tensor& x, const ChannelStatistics& statistics, const Tensor& weight, double eps,
                                        bool training);

}  // namespace scry::kernels
