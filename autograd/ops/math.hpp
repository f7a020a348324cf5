#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Elementwise functions, any shape, f32 or f64, to within a few units in the last place.
Tensor exp(const Tensor& x);      ///< eˣ. Gradient: g y
Tensor log(const Tensor& x);      ///< natural logarithm. Gradient: g / x
Tensor sqrt(const Tensor& x);     ///< Gradient: g / (2 y)
Tensor tanh(const Tensor& x);     ///< Gradient: g (1 - y²)
Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e⁻ˣ). Gradient: g y (1 - y)
Tensor relu(const Tensor& x);     ///< max(x, 0). Gradient: g where y > 0, else 0

}  // namespace scry
