#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Over an axis; f32 or f64; results are row-major.
Tensor softmax(const Tensor& x, int axis);
Tensor log_softmax(const Tensor& x, int axis);
/// Their gradients for a gradient g of the result y: y (g - sum of g y), and g - exp(y) sum of g.
Tensor softmax_gradient(const Tensor& g, const Tensor& y, int axis);
Tensor log_softmax_gradient(const Tensor& g, const Tensor& y, int axis);

}  // namespace scry::kernels
