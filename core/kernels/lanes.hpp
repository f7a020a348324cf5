#pragma once

// Numbers side by side in a register, as the compiler's vector types: formulas are written once for them and for single numbers.

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace scry::kernels {

template <class T, int64_t count>
struct LanesOf {
  typedef T Type __attribute__((vector_size(sizeof(T) * count)));
};
template <class T, int64_t count>
using Lanes = typename LanesOf<T, count>::Type;

/// How many numbers fill a register of this processor.
template <class T>
inline constexpr int64_t lanes_of = __BIGGEST_ALIGNMENT__ / static_cast<int64_t>(sizeof(T));

template <class V>
inline constexpr int lane_count = sizeof(V) / sizeof(V{}[0]);

template <class V, class T>
V load_lanes(const T* from) {
  V lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
template <class V, class T>
void store_lanes(T* to, const V& lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}

namespace detail {
// Lane by lane, which compilers make one instruction of; of their own conversions they make several.
template <class To, class From, int... I>
To convert_each(const From& value, std::integer_sequence<int, I...>) {
  return To{static_cast<std::remove_cvref_t<decltype(To{}[0])>>(value[I])...};
}
template <int step, class V, int... I>
V rotate(const V& lanes, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(lanes, lanes, (I + step) % static_cast<int>(sizeof...(I))...);
}
template <class V, int... I>
V select_from(int64_t first, const V& a, const V& b, std::integer_sequence<int, I...>) {
  using Place = decltype(V{} == V{});
  return Place{I...} < static_cast<std::remove_cvref_t<decltype(Place{}[0])>>(first) ? b : a;
}
}  // namespace detail

/// The value, or each lane of it, as To's type of number.
template <class To, class From>
To convert_lanes(From value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (std::is_arithmetic_v<To>)
    return static_cast<To>(value);
  else
    return detail::convert_each<To>(value, std::make_integer_sequence<int, lane_count<To>>());
}

/// Lanes `first` and later of a, those before of b.
template <class V>
V from_lane(int64_t first, const V& a, const V& b) {
  return detail::select_from(first, a, b, std::make_integer_sequence<int, lane_count<V>>());
}

/// All lanes merged into one.
template <int half = 0, class V, class Merge>
auto merge_lanes(const V& lanes, const Merge& merge) {
  constexpr int step = half ? half : lane_count<V> / 2;
  const V merged = merge(lanes, detail::rotate<step>(lanes, std::make_integer_sequence<int, lane_count<V>>()));
  if constexpr (step > 1)
    return merge_lanes<step / 2>(merged, merge);
  else
    return merged[0];
}

}  // namespace scry::kernels
