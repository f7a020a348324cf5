#pragma once

#include <scry/core/tensor.hpp>
#include <optional>

namespace scry {

// Normalisation of each sample by itself; f32 or f64. Statistics are accumulated in double. Weight and bias may be undefined, for 1 and 0.
/// (x - mean) / sqrt(variance + eps) * weight + bias over the last axes, those of `shape` (Ba, Kiros and Hinton 2016). Weight and bias: `shape`.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// x / sqrt(mean of x² + eps) * weight over the last axes, those of `shape` (Zhang and Sennrich 2019).
/// Without an eps it is the distance from 1 to the next number of x's type, as in PyTorch.
Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, std::optional<double> eps = {});
/// As layer_norm, over each of `groups` groups of channels of a sample (Wu and He 2018). x: [N, C, …], weight and bias: [C].
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// Each channel of a sample by itself. x: [N, C, spatial…], weight and bias: [C].
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);

struct LocalResponseNormOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};
/// x / (k + alpha / size * sum of x² over `size` neighbouring channels)^beta, where channels beyond the ends count as 0 (Krizhevsky et al. 2012,
/// section 3.3, with PyTorch's division by size). x: [N, C, spatial…]; of an even number of neighbours more lie before.
Tensor local_response_norm(const Tensor& x, int64_t size, const LocalResponseNormOptions& options = {});

}  // namespace scry
