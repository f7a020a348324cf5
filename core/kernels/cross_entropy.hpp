#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// What rows of logits [N, C] are compared with: row i with the distribution (1 - smoothing) one_hot(labels[i]) + smoothing / C, each class times
/// its weight. A label that isn't one of the classes makes the row's loss 0.
struct Targets {
  Tensor labels;  ///< i64 [N]
  Tensor weight;  ///< [C], of the logits' type, or undefined for ones
  double smoothing = 0;
};

struct RowLosses {
  Tensor losses;       ///< [N]: the sum of target times -log_softmax
  Tensor log_sum_exp;  ///< [N]
};
RowLosses cross_entropy(const Tensor& logits, const Targets& targets);

/// g[i] times the gradient of row i's loss, given the forward pass's log_sum_exp; g: [N], any stride.
Tensor cross_entropy_gradient(const Tensor& g, const Tensor& logits, const Targets& targets, const Tensor& log_sum_exp);

}  // namespace scry::kernels
