#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// How a tensor, in row-major order, is normalised: in rows of `length` elements, by their own mean and variance. Weight and bias: [channels], of x's
/// type, or undefined; row r belongs to group r % groups of channels / groups channels, and each channel has `span` neighbouring elements in the row.
struct RowNorm {
  int64_t length, groups = 1, span = 1;
  bool centered = true;  ///< subtract the mean; else the mean of squares takes the variance's place
  double eps = 1e-5;

  int64_t channels() const { return groups * length / span; }
};

struct RowNormResult {
  Tensor y;
  Tensor mean, inverse;  ///< f64 [rows]: the mean (0 where not centered) and 1 / sqrt(variance + eps)
};

/// (x - mean) / sqrt(variance + eps) * weight + bias.
RowNormResult row_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const RowNorm& norm);

struct RowNormGradients {
  Tensor input, weight, bias;
};

/// Its gradients for a gradient g of y.
RowNormGradients row_norm_gradients(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& inverse,
                                    const RowNorm& norm);

}  // namespace scry::kernels
