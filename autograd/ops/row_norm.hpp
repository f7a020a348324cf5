#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Normalisation of each sample by itself; f32 or f64. Statistics are accumulated in double. Weight and bias may be undefined, for 1 and 0.
/// (x - mean) / sqrt(variance + eps) * weight + bias over the last axes, those of `shape` (Ba, Kiros and Hinton 2016). Weight and bias: `shape`.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// x / sqrt(mean of x² + eps) * weight over the last axes, those of `shape` (Zhang and Sennrich 2019).
Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, double eps = 1e-5);
/// As layer_norm, over each of `groups` groups of channels of a sample (Wu and He 2018). x: [N, C, …], weight and bias: [C].
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// Each channel of a sample by itself. x: [N, C, spatial…], weight and bias: [C].
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);

}  // namespace scry
