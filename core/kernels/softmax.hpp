#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Over an axis; f32 or f64; results are row-major.
Tensor softmax(const Tensor& x, int axis);
Tensor log_softmax(const Tensor& x, int axis);
/// Their gradients for a gradient g of the result y: y (g - sum of g y), and g - exp(y) sum of g.
Tensor softmax_gradient(const Tensor& g, const Tensor& y, int axis);
Tensor log_softmax_gradient(const Tensor& g, const Tensor& y, int axis);

/// Row by row for x: [N, C] and labels: i64 [N] in [0, C): losses[i] = log(sum of exp(x[i])) - x[i][labels[i]], and the first of these terms.
struct RowLosses {
  Tensor losses;       ///< [N]
  Tensor log_sum_exp;  ///< [N]
};
RowLosses cross_entropy(const Tensor& x, const Tensor& labels);
/// g[i] (softmax(x)[i] - one_hot(labels)[i]), given the forward pass's log_sum_exp; g: [N], any stride.
Tensor cross_entropy_gradient(const Tensor& g, const Tensor& x, const Tensor& labels, const Tensor& log_sum_exp);

}  // namespace scry::kernels
