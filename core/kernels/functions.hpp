#pragma once

// Functions of a register that are good to a few units in the last place for every argument, and the comparisons that formulas are written
// with. xsimd computes them; where it is off (subnormal results, results near the largest number, …) the standard library does.

#include <scry/core/kernels/exponential.hpp>
#include <scry/core/kernels/map.hpp>
#include <cmath>
#include <limits>

namespace scry::functions {

using kernels::Register;

template <class T>
using Mask = xsimd::batch_bool<T>;

/// `y`, but f of the number itself in those places of x that are in `off`.
template <class T, class F>
Register<T> patched(const Mask<T>& off, const Register<T>& y, const Register<T>& x, const F& f) {
  if (!xsimd::any(off)) [[likely]]
    return y;
  alignas(64) T from[Register<T>::size], to[Register<T>::size];
  alignas(64) bool here[Register<T>::size];
  x.store_aligned(from);
  y.store_aligned(to);
  off.store_aligned(here);
  for (size_t i = 0; i < Register<T>::size; ++i)
    if (here[i]) to[i] = f(from[i]);
  return Register<T>::load_aligned(to);
}

/// A number in the type of the register.
template <class T>
Register<T> like(const Register<T>&, double number) {
  return Register<T>(static_cast<T>(number));
}
template <class T>
Register<T> where(const Mask<T>& condition, const Register<T>& a, const Register<T>& b) {
  return xsimd::select(condition, a, b);
}

template <class T>
Mask<T> lt(const Register<T>& a, const Register<T>& b) {
  return a < b;
}
template <class T>
Mask<T> le(const Register<T>& a, const Register<T>& b) {
  return a <= b;
}
template <class T>
Mask<T> gt(const Register<T>& a, const Register<T>& b) {
  return a > b;
}
template <class T>
Mask<T> eq(const Register<T>& a, const Register<T>& b) {
  return a == b;
}
template <class T>
Mask<T> lt(const Register<T>& a, double b) {
  return a < like(a, b);
}
template <class T>
Mask<T> le(const Register<T>& a, double b) {
  return a <= like(a, b);
}
template <class T>
Mask<T> gt(const Register<T>& a, double b) {
  return a > like(a, b);
}
template <class T>
Mask<T> eq(const Register<T>& a, double b) {
  return a == like(a, b);
}

/// The lesser and the greater of two; NaN if one is.
template <class T>
Register<T> minimum(const Register<T>& a, const Register<T>& b) {
  return xsimd::select((a < b) | xsimd::isnan(a), a, b);
}
template <class T>
Register<T> maximum(const Register<T>& a, const Register<T>& b) {
  return xsimd::select((a > b) | xsimd::isnan(a), a, b);
}
template <class T>
Register<T> minimum(const Register<T>& a, double b) {
  return minimum(a, like(a, b));
}
template <class T>
Register<T> maximum(const Register<T>& a, double b) {
  return maximum(a, like(a, b));
}

// Beyond these powers of e and of 2 xsimd rounds to zero or infinity.
template <class T>
inline constexpr double exp_range = std::is_same_v<T, float> ? 87 : 708;
template <class T>
inline constexpr double exp2_range = std::is_same_v<T, float> ? 126 : 1022;

template <class T>
Register<T> exp(const Register<T>& x) {
  return patched(gt(xsimd::abs(x), exp_range<T>), xsimd::exp(x), x, [](T v) { return std::exp(v); });
}
template <class T>
Register<T> exp2(const Register<T>& x) {
  return patched(gt(xsimd::abs(x), exp2_range<T>), xsimd::exp2(x), x, [](T v) { return std::exp2(v); });
}
template <class T>
Register<T> expm1(const Register<T>& x) {
  const Register<T> y = where(eq(x, 0), x, xsimd::expm1(x));  // -0 stays
  return patched(gt(x, exp_range<T>), y, x, [](T v) { return std::expm1(v); });
}
template <class T>
Mask<T> subnormal(const Register<T>& x) {
  return gt(x, 0) & lt(x, Register<T>(std::numeric_limits<T>::min()));
}
template <class T>
Register<T> log(const Register<T>& x) {
  return patched(subnormal(x), xsimd::log(x), x, [](T v) { return std::log(v); });
}
template <class T>
Register<T> log2(const Register<T>& x) {
  return patched(subnormal(x), xsimd::log2(x), x, [](T v) { return std::log2(v); });
}
template <class T>
Register<T> log1p(const Register<T>& x) {
  return where(eq(x, 0), x, xsimd::log1p(x));  // -0 stays
}
template <class T>
Register<T> acosh(const Register<T>& x) {
  return where(lt(x, 1), like(x, std::numeric_limits<double>::quiet_NaN()), xsimd::acosh(x));
}
template <class T>
Register<T> expm1_below(const Register<T>& x) {
  return Register<T>(kernels::expm1_below(static_cast<typename Register<T>::register_type>(x)));
}
template <class T>
Register<T> tanh(const Register<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Register<T> u = expm1_below(xsimd::max(like(x, -40), like(x, -2) * xsimd::abs(x)));  // NaN stays
    return xsimd::copysign(u / (like(x, 2) + u), x);
  } else {
    return xsimd::tanh(x);
  }
}
/// In f32 1 - e^-h with a polynomial for h that makes the relative error least (4e-8).
template <class T>
Register<T> erf(const Register<T>& x) {
  if constexpr (std::is_same_v<T, float>) {
    const Register<T> size = xsimd::min(like(x, 4), xsimd::abs(x));
    Register<T> h(4.070793298577e-05f);
    for (const double c : {-0.000381000708959895, 0.0012517468611750668, 0.00020571567136340248, -0.019321715715345463, 0.10281441055330202,
                           0.636616496772202, 0.1283792070492666})
      h = xsimd::fma(h, size, like(x, c));
    return xsimd::copysign(expm1_below(-xsimd::fma(size, h, size)), x);
  } else {
    return patched(x == x, x, x, [](T v) { return std::erf(v); });
  }
}
template <class T>
Register<T> erfc(const Register<T>& x) {
  return patched(x == x, x, x, [](T v) { return std::erfc(v); });
}

using xsimd::abs, xsimd::sqrt, xsimd::sin, xsimd::cos, xsimd::tan, xsimd::asin, xsimd::acos, xsimd::atan, xsimd::sinh, xsimd::cosh, xsimd::asinh,
    xsimd::atanh, xsimd::floor, xsimd::ceil, xsimd::trunc;

/// 1 / (1 + e⁻ˣ).
template <class T>
Register<T> sigmoid(const Register<T>& x) {
  const Register<T> e = exp(-xsimd::abs(x)), y = like(x, 1) / (like(x, 1) + e);
  return xsimd::select(x < like(x, 0), e * y, y);
}
/// log(1 + eˣ).
template <class T>
Register<T> softplus(const Register<T>& x) {
  return maximum(x, 0) + log1p(exp(-xsimd::abs(x)));
}

}  // namespace scry::functions
