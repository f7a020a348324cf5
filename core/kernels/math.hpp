#pragma once

#include <scry/core/tensor.hpp>

// Elementwise functions of one f32 or f64 tensor, to within a few units in the last place.
namespace scry::kernels {

Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e^-x), without overflow

Tensor relu(const Tensor& x);  ///< max(x, 0); NaN stays
/// g where y > 0, else 0: what relu passes on of a gradient, given its output.
Tensor relu_gradient(const Tensor& g, const Tensor& y);

}  // namespace scry::kernels
