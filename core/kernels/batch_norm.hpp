#pragma once

#include <scry/core/tensor.hpp>
#include <optional>

namespace scry::kernels {

// Normalisation of x: [N, C, spatial…] by channel, f32 or f64. Statistics are f64 tensors of shape [C].

struct ChannelStatistics {
  Tensor mean;
  Tensor variance;  ///< of the population: divided by the number of values
};

/// Mean and variance of each channel, in one pass over x.
ChannelStatistics channel_statistics(const Tensor& x);

/// What results are clipped to.
struct Clip {
  double low, high;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias, clipped where that is asked for; weight and bias: [C] of x's type, or both undefined for 1 and
/// 0.
Tensor batch_norm(const Tensor& x, const ChannelStatistics& statistics, const Tensor& weight, const Tensor& bias, double eps,
                  const std::optional<Clip>& clip = {});

struct BatchNormGradients {
  Tensor input, weight, bias;
};

/// What the gradients are to know of the pass before them.
struct BatchNormPass {
  double eps;
  bool training;                  ///< the statistics are x's own and depend on it
  std::optional<Clip> clip = {};  ///< what followed, of whose result the gradient is
};

/// The gradients of batch_norm for a gradient g of its result. Where `overwrite` is set that of x may take the memory of g.
BatchNormGradients batch_norm_gradients(const Tensor& g, const Tensor& x, const ChannelStatistics& statistics, const Tensor& weight,
                                        const Tensor& bias, const BatchNormPass& pass, bool overwrite = false);

}  // namespace scry::kernels
