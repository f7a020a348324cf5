#pragma once

#include <scry/core/kernels/reduce_loops.hpp>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

// Reducers: sums, products, extremes, mean and variance.
namespace scry::kernels {

/// The sum of f(element), which is converted before.
template <class Sum, class F>
struct SumOf {
  using Number = Sum;
  static constexpr int parts = 1, registers = 4;
  F f;
  Sum identity(int) const { return 0; }
  template <class A, class V>
  A take(A sum, V value) const {
    return sum + f(convert_lanes<A>(value));
  }
  template <class A>
  A merge(A a, A b) const {
    return a + b;
  }
};

struct Identity {
  auto operator()(auto value) const { return value; }
};
struct Square {
  auto operator()(auto value) const { return value * value; }
};
struct Magnitude {
  auto operator()(auto value) const { return value < 0 ? -value : value; }
};

/// How many elements aren't zero.
struct Nonzero : SumOf<uint64_t, Identity> {
  template <class A, class V>
  A take(A count, V value) const {
    return count - convert_lanes<A>(value != 0);  // true is -1 in lanes
  }
};

template <class Wide>
struct Product {
  using Number = Wide;
  static constexpr int parts = 1, registers = 4;
  Wide identity(int) const { return 1; }
  template <class A, class V>
  A take(A product, V value) const {
    return product * convert_lanes<A>(value);
  }
  template <class A>
  A merge(A a, A b) const {
    return a * b;
  }
};

/// The largest element, or the smallest, as the largest of elements in the opposite order; NaN is both.
template <class T>
struct Extreme {
  using Number = T;
  using Limits = std::numeric_limits<T>;
  static constexpr int parts = 1, registers = 4;
  using Bits = std::conditional_t<sizeof(T) == 1, uint8_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
  static constexpr Bits sign = std::is_floating_point_v<T> ? Bits{1} << (8 * sizeof(T) - 1) : static_cast<Bits>(-1);
  Bits flipped = 0;
  explicit Extreme(bool largest = true) : flipped(largest ? Bits{0} : sign) {}

  /// Values in the order in which the largest is wanted, and back: negated, or, of integers, all bits turned.
  T ordered(T value) const { return std::bit_cast<T>(static_cast<Bits>(std::bit_cast<Bits>(value) ^ flipped)); }
  template <class V>
  V ordered(V value) const {
    return reinterpret_cast<V>(reinterpret_cast<Lanes<Bits, lane_count<V>>>(value) ^ flipped);
  }
  T identity(int) const { return Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest(); }
  template <class V>
  V take(V best, V value) const {
    return merge(best, ordered(value));
  }
  template <class V>
  V merge(V best, V value) const {
    const V larger = best > value ? best : value;  // the second where one is NaN
    if constexpr (std::is_floating_point_v<T>) {
      const auto nan = best != best;  // all bits are one
      return reinterpret_cast<V>(reinterpret_cast<decltype(best != best)>(larger) | nan);
    } else {
      return larger;
    }
  }
};

/// The extreme and the first place where it is: an integer as wide as an element, in the bits of one.
template <class T>
struct ExtremeAt {
  using Number = T;
  using S = States<T, 2>;
  using V = Lanes<T, lanes_of<T>>;
  using Place = typename Extreme<T>::Bits;
  using Places = Lanes<Place, lanes_of<T>>;
  static constexpr int parts = 2, registers = 4;
  Extreme<T> extreme;

  T identity(int part) const { return part == 0 ? extreme.identity(0) : T{0}; }
  static auto better(const V& value, const V& than) { return ~(value <= than) & (than == than); }
  static Places places(const S& states) { return reinterpret_cast<Places>(states.part[1]); }

  void take(S& best, V value, int64_t index) const {
    value = extreme.ordered(value);
    const auto found = better(value, best.part[0]);
    best.part[0] = found ? value : best.part[0];
    best.part[1] = reinterpret_cast<V>(found ? Places{} + static_cast<Place>(index) : places(best));
  }
  S merge(const S& a, const S& b, int64_t later) const {
    const Places at_a = places(a), at_b = places(b) + static_cast<Place>(later);
    const auto second = better(b.part[0], a.part[0]) | (~better(a.part[0], b.part[0]) & (at_b < at_a));
    return {{second ? b.part[0] : a.part[0], reinterpret_cast<V>(second ? at_b : at_a)}};
  }
};

/// The first element of all, and the sums of differences from it and of their squares. As the first one's own is among them, what the sum's square
/// takes away leaves at least a part in as many as there are elements.
struct Moments {
  using Number = double;
  using V = Lanes<double, lanes_of<double>>;
  using S = States<double, 3>;
  static constexpr int parts = 3, registers = 4;

  template <class First>
  S start(const First& first) const {
    if constexpr (std::is_arithmetic_v<First>)
      return {{V{} + static_cast<double>(first)}};
    else
      return {{convert_lanes<V>(first)}};
  }
  template <class Elements>
  void take(S& s, const Elements& elements, int64_t) const {
    const V d = convert_lanes<V>(elements) - s.part[0];
    s.part[1] += d;
    s.part[2] += d * d;
  }
  S merge(const S& a, const S& b, int64_t) const { return {{a.part[0], a.part[1] + b.part[1], a.part[2] + b.part[2]}}; }
  /// The sum of squared differences from the mean.
  static double squares(double sum, double squares, double count) { return squares - sum * sum / count; }
};

}  // namespace scry::kernels
