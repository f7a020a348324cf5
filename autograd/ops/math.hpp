#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Elementwise functions, any shape, f32 or f64, to within a few units in the last place.
Tensor exp(const Tensor& x);      ///< eˣ. Gradient: g y
Tensor exp2(const Tensor& x);     ///< 2ˣ. Gradient: g y log 2
Tensor expm1(const Tensor& x);    ///< eˣ - 1, exact near 0. Gradient: g (y + 1)
Tensor log(const Tensor& x);      ///< natural logarithm. Gradient: g / x
Tensor log1p(const Tensor& x);    ///< log(1 + x), exact near 0. Gradient: g / (1 + x)
Tensor log2(const Tensor& x);     ///< logarithm to base 2. Gradient: g / (x log 2)
Tensor sqrt(const Tensor& x);     ///< Gradient: g / (2 y)
Tensor rsqrt(const Tensor& x);    ///< 1 / √x. Gradient: -g y³ / 2
Tensor erf(const Tensor& x);      ///< error function. Gradient: g 2/√π exp(-x²)
Tensor erfc(const Tensor& x);     ///< 1 - erf(x), exact in the tail. Gradient: -g 2/√π exp(-x²)
Tensor sin(const Tensor& x);      ///< Gradient: g cos x
Tensor cos(const Tensor& x);      ///< Gradient: -g sin x
Tensor tan(const Tensor& x);      ///< Gradient: g (1 + y²)
Tensor asin(const Tensor& x);     ///< Gradient: g / √(1 - x²)
Tensor acos(const Tensor& x);     ///< Gradient: -g / √(1 - x²)
Tensor atan(const Tensor& x);     ///< Gradient: g / (1 + x²)
Tensor sinh(const Tensor& x);     ///< Gradient: g cosh x
Tensor cosh(const Tensor& x);     ///< Gradient: g sinh x
Tensor tanh(const Tensor& x);     ///< Gradient: g (1 - y²)
Tensor asinh(const Tensor& x);    ///< Gradient: g / √(x² + 1)
Tensor acosh(const Tensor& x);    ///< Gradient: g / √(x² - 1)
Tensor atanh(const Tensor& x);    ///< Gradient: g / (1 - x²)
Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e⁻ˣ). Gradient: g y (1 - y)

// These take integers too, which stay as they are where nothing is to be rounded. Signs and roundings have a gradient of 0.
Tensor square(const Tensor& x);  ///< x². Gradient: 2 g x
Tensor abs(const Tensor& x);     ///< |x|. Gradient: g sign(x)
Tensor sign(const Tensor& x);    ///< -1, 0 or 1; NaN stays
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  ///< to the nearest integer, halves to the even one
Tensor trunc(const Tensor& x);  ///< towards zero

/// The angle of the point (x, y), in (-π, π]; f32 or f64, both of one type, broadcasting. Gradients: g x / (x² + y²), -g y / (x² + y²).
Tensor atan2(const Tensor& y, const Tensor& x);

// The rest of a division, broadcasting: a - n b, where n is a / b cut towards zero (fmod, as in C) or rounded down (remainder, whose sign is
// b's, that of a zero too). Types meet as in arithmetic; an integer b must not be 0. Gradients: g and -g n.
Tensor fmod(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, const Tensor& b);

}  // namespace scry
