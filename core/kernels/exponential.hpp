#pragma once

// e^x in few instructions, for kernels that need no more than an ulp or two of 1.

#include <scry/core/kernels/lanes.hpp>
#include <array>
#include <bit>
#include <numbers>

namespace scry::kernels {

namespace detail {
// The Taylor coefficients of 2^f.
inline constexpr auto powers_of_two = [] {
  std::array<double, 14> c{1};
  for (size_t k = 1; k < c.size(); ++k) c[k] = c[k - 1] * std::numbers::ln2 / static_cast<double>(k);
  return c;
}();
}  // namespace detail

/// e^x as 2^n 2^f with |f| <= 1/2, by a Taylor polynomial: to an ulp or two. Beyond 2^126 and 2^-126 (f64: 2^1022, 2^-1022) it stays there; NaN stays
/// NaN.
template <class T, class V>
[[gnu::always_inline]] inline V bounded_exp(V x) {
  constexpr bool single = sizeof(T) == 4;
  constexpr size_t degree = single ? 6 : 13;
  constexpr int fraction = single ? 23 : 52;
  constexpr T round = single ? T{12582912} : T{6755399441055744}, most = single ? T{126} : T{1022};  // 1.5 * 2^fraction rounds what it is added to
  using Bits = Lanes<std::conditional_t<single, uint32_t, uint64_t>, lane_count<V>>;
  V t = x * static_cast<T>(std::numbers::log2e);
  t = t > most ? V{} + most : t;
  t = t < -most ? V{} - most : t;
  const V rounded = t + round, f = t - (rounded - round), one = V{} + T{1};
  V y = V{} + static_cast<T>(detail::powers_of_two[degree]);
  for (size_t k = degree; k-- > 0;) y = y * f + static_cast<T>(detail::powers_of_two[k]);
  return y * std::bit_cast<V>((std::bit_cast<Bits>(rounded) << fraction) + std::bit_cast<Bits>(one));
}

}  // namespace scry::kernels
