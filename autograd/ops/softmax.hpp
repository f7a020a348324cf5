#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// exp(x) / sum of exp(x) along `axis`, without overflow. Gradient: y (g - sum of g y).
Tensor softmax(const Tensor& x, int axis);
/// log(softmax(x)), exactly where softmax itself would underflow. Gradient: g - exp(y) sum of g.
Tensor log_softmax(const Tensor& x, int axis);

/// The mean over rows of -log softmax(logits)[label]: logits: f32 or f64 [N, C], labels: i64 [N] in [0, C). The result has no axes.
/// Computed from the log of the sum of exponentials, so large logits are exact.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels);

}  // namespace scry
