#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace scry::kernels {

/// One value in another element type. Conversions that C++ leaves undefined (floats out of an integer's range) saturate; NaN gives 0.
template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr int bits = std::numeric_limits<To>::digits;
    constexpr auto limit = static_cast<From>(uint64_t{1} << (bits - 1)) * 2;  // the first value above the range
    if (std::isnan(value)) return To{0};
    if (value >= limit) return std::numeric_limits<To>::max();
    if (value < static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace scry::kernels
