#pragma once

// Exponentials in few instructions: e^x for kernels that need no more than an ulp or two of 1, e^x - 1 for functions that are made of it.

#include <scry/core/kernels/lanes.hpp>
#include <array>
#include <bit>
#include <numbers>
#include <xsimd/xsimd.hpp>

namespace scry::kernels {

namespace detail {
// The coefficients of 2^f for |f| <= 1/2: of the polynomial whose relative error is least (9e-8), and Taylor's.
template <class T>
inline constexpr auto powers_of_two = [] {
  std::array<T, 14> c{1};
  for (size_t k = 1; k < c.size(); ++k) c[k] = c[k - 1] * std::numbers::ln2_v<T> / static_cast<T>(k);
  return c;
}();
template <>
inline constexpr std::array<float, 6> powers_of_two<float>{1, 0.69314698f, 0.24022242f, 0.05550734f, 0.00967151f, 0.00132647f};

template <class T>
inline constexpr T rounding = sizeof(T) == 4 ? T{12582912} : T{6755399441055744};  // 1.5 * 2^fraction rounds what it is added to
template <class T, class V>
using BitsOf = Lanes<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>, lane_count<V>>;

// 2^n, of the sum of n and `rounding`.
template <class T, class V>
[[gnu::always_inline]] inline V two_to(V rounded) {
  using Bits = BitsOf<T, V>;
  return std::bit_cast<V>((std::bit_cast<Bits>(rounded) << (sizeof(T) == 4 ? 23 : 52)) + std::bit_cast<Bits>(V{} + T{1}));
}
}  // namespace detail

/// e^x as 2^n 2^f with |f| <= 1/2, to an ulp or two. Beyond 2^126 and 2^-126 (f64: 2^1022, 2^-1022) it stays there; NaN stays NaN.
template <class T, class V>
[[gnu::always_inline]] inline V bounded_exp(V x) {
  constexpr auto& c = detail::powers_of_two<T>;
  constexpr T most = sizeof(T) == 4 ? T{126} : T{1022};
  using Whole = xsimd::batch<T>;
  const V t = xsimd::min(Whole(most), xsimd::max(Whole(-most), Whole(x * std::numbers::log2e_v<T>)));  // one instruction each; NaN stays
  const V rounded = t + detail::rounding<T>, f = t - (rounded - detail::rounding<T>);
  V y = V{} + c.back();
  for (size_t k = c.size() - 1; k-- > 0;) y = y * f + c[k];
  return y * detail::two_to<T>(rounded);
}

/// e^x - 1 of floats from -80 to 0, to an ulp: 2^n (e^r - 1) + (2^n - 1), where the second is exact. NaN stays NaN.
template <class V>
[[gnu::always_inline]] inline V expm1_below(V x) {
  constexpr float ln2 = 0.693359375f, rest = -2.12194440055e-4f;  // whose first nine bits are multiplied exactly
  const V rounded = x * std::numbers::log2e_v<float> + detail::rounding<float>, n = rounded - detail::rounding<float>, r = x - n * ln2 - n * rest;
  const V y = r + r * r * (0.49999998f + r * (0.16666543f + r * (0.0416672f + r * (0.00836658f + r * 0.00138825f))));
  const V scale = detail::two_to<float>(rounded);
  return scale * y + (scale - 1);
}

}  // namespace scry::kernels
