#pragma once

#include <scry/core/tensor.hpp>

// Elementwise parts of reductions and their gradients; f32 or f64.
namespace scry::kernels {

/// |x|^exponent, with the sign of x where `odd`. Where x is 0 it is 0 for every exponent (but |0|^0 = 1): norms pass on nothing at zero.
Tensor power(const Tensor& x, double exponent, bool odd);
/// 1 where x equals y, which broadcasts, else 0.
Tensor equal(const Tensor& x, const Tensor& y);

}  // namespace scry::kernels
