#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// aᵇ, elementwise with broadcasting. Types meet as in arithmetic; integers to a negative power are cut towards zero. pow(x, 0) is 1 for every x.
// Gradients: g b aᵇ⁻¹ (0 where b = 0) and g y log a (0 where a = 0 and b >= 0).
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, double b);
Tensor pow(double a, const Tensor& b);

}  // namespace scry
