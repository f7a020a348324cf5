#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// exp(x) / sum of exp(x) along `axis`, without overflow. Gradient: y (g - sum of g y).
Tensor softmax(const Tensor& x, int axis);
/// softmax(-x).
Tensor softmin(const Tensor& x, int axis);
/// log(softmax(x)), exactly where softmax itself would underflow. Gradient: g - exp(y) sum of g.
Tensor log_softmax(const Tensor& x, int axis);

}  // namespace scry
