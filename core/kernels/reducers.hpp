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
  bool largest = true;

  /// Values in the order in which the largest is wanted, and back.
  template <class V>
  V ordered(V value) const {
    if constexpr (std::is_floating_point_v<T>)
      return largest ? value : -value;
    else
      return largest ? value : static_cast<V>(~value);
  }
  T identity(int) const { return Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest(); }
  template <class V>
  V take(V best, V value) const {
    return merge(best, ordered(value));
  }
  template <class V>
  V merge(V best, V value) const {
    if constexpr (std::is_floating_point_v<T>)
      return (value > best) | (value != value) ? value : best;
    else
      return value > best ? value : best;
  }
};

/// The extreme and the first place where it is: an integer as wide as an element, in the bits of one.
template <class T>
struct ExtremeAt {
  using Number = T;
  using S = States<T, 2>;
  using V = Lanes<T, lanes_of<T>>;
  using Mask = decltype(V{} == V{});
  using Place = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  using Places = Lanes<Place, lanes_of<T>>;
  static constexpr int parts = 2, registers = 4;
  Extreme<T> extreme;

  T identity(int part) const { return part == 0 ? extreme.identity(0) : T{0}; }
  static Mask same(V a, V b) { return (a == b) | ((a != a) & (b != b)); }
  static Places places(const S& states) { return reinterpret_cast<Places>(states.part[1]); }

  /// Rows are looked at again, for places, only where they have something better.
  template <int count, class Rows>
  void take_rows(S (&states)[count], const Rows& rows) const {
    V best[count];
    for (int r = 0; r < count; ++r) best[r] = states[r].part[0];
    for (int64_t row = 0; row < rows.count(); ++row) {
      if (rows.tile.ahead) rows.fetch(row);
      for (int r = 0; r < count; ++r) best[r] = extreme.take(best[r], rows.at(row, r));
    }
    Mask better{};
    for (int r = 0; r < count; ++r) better |= ~same(best[r], states[r].part[0]);
    if (!merge_lanes(better, [](const Mask& a, const Mask& b) { return a | b; })) return;
    for (int r = 0; r < count; ++r) {
      Places place{};
      for (int64_t row = rows.count(); row-- > 0;)
        place = same(extreme.ordered(rows.at(row, r)), best[r]) ? Places{} + static_cast<Place>(rows.index(row)) : place;
      place = same(best[r], states[r].part[0]) ? places(states[r]) : place;
      states[r] = {{best[r], reinterpret_cast<V>(place)}};
    }
  }
  /// The first of elements that lie one after the other is looked for when their extreme is known.
  void line(const T* data, int64_t count, T* state, int64_t pitch) const {
    constexpr int64_t run = 512, width = lanes_of<T>;
    detail::take_line(extreme, data, count, state, 1);
    const T best = state[0];
    const V wanted = V{} + best;
    constexpr Place nowhere = std::numeric_limits<Place>::max();
    Place lane[width], first = nowhere;
    for (Place l = 0; l < width; ++l) lane[l] = l;
    int64_t i = 0;
    for (; i + width <= count && first == nowhere; i += std::min(run, count - i)) {
      Places place = Places{} + nowhere;
      for (int64_t end = std::min(i + run, count); end > i; end -= width) {  // from the back, so that the first one stays
        const int64_t at = std::max(i, end - width);
        place = same(extreme.ordered(load_lanes<V>(data + at)), wanted) ? Places{} + static_cast<Place>(at) : place;
      }
      place = place + (place == nowhere ? Places{} : load_lanes<Places>(lane));
      first = merge_lanes(place, [](const Places& x, const Places& y) { return x < y ? x : y; });
    }
    for (; first == nowhere; ++i)
      if (const T value = extreme.ordered(data[i]); value == best || (value != value && best != best)) first = static_cast<Place>(i);
    state[pitch] = std::bit_cast<T>(first);
  }
  S merge(const S& a, const S& b, int64_t later) const {
    const V best = extreme.merge(a.part[0], b.part[0]);
    const Places none = Places{} + std::numeric_limits<Place>::max(), at_a = same(a.part[0], best) ? places(a) : none,
                 at_b = same(b.part[0], best) ? places(b) + static_cast<Place>(later) : none;
    return {{best, reinterpret_cast<V>(at_a < at_b ? at_a : at_b)}};
  }
};

/// The sums of differences from a number, and of their squares.
struct Differences {
  using Number = double;
  using V = Lanes<double, lanes_of<double>>;
  using S = States<double, 2>;
  static constexpr int parts = 2, registers = 4;
  double from;

  double identity(int) const { return 0; }
  template <int count, class Rows>
  void take_rows(S (&states)[count], const Rows& rows) const {
    for (int64_t row = 0; row < rows.count(); ++row)
      for (int r = 0; r < count; ++r) {
        const V d = convert_lanes<V>(rows.at(row, r)) - from;
        states[r].part[0] += d;
        states[r].part[1] += d * d;
      }
  }
  S merge(const S& a, const S& b, int64_t) const { return {{a.part[0] + b.part[0], a.part[1] + b.part[1]}}; }
};

/// The number of elements, their mean and the sum of squared differences from it. Rows are added up as differences from the mean of those before
/// (or the first of all), which cancels nothing; merging is that of Chan, Golub and LeVeque 1979.
struct Moments {
  using Number = double;
  using V = Lanes<double, lanes_of<double>>;
  using S = States<double, 3>;
  static constexpr int parts = 3, registers = 4;

  double identity(int) const { return 0; }
  template <int count, class Rows>
  void take_rows(S (&states)[count], const Rows& rows) const {
    const double before = states[0].part[0][0], all = before + static_cast<double>(rows.count()), share = 1 / all;
    V from[count], sum[count]{}, squares[count]{};
    for (int r = 0; r < count; ++r) from[r] = before == 0 ? convert_lanes<V>(rows.at(0, r)) : states[r].part[1];
    for (int64_t row = 0; row < rows.count(); ++row) {
      if (rows.tile.ahead) rows.fetch(row);
      for (int r = 0; r < count; ++r) {
        const V d = convert_lanes<V>(rows.at(row, r)) - from[r];
        sum[r] += d;
        squares[r] += d * d;
      }
    }
    for (int r = 0; r < count; ++r) {
      const V shift = sum[r] * share;
      states[r] = {{V{} + all, from[r] + shift, states[r].part[2] + (squares[r] - sum[r] * shift)}};
    }
  }
  /// One that can be told from the first element in all lanes.
  template <class T>
  void line(const T* data, int64_t count, double* state, int64_t pitch) const {
    const auto from = static_cast<double>(data[0]), all = static_cast<double>(count);
    double sums[2];
    detail::take_line(Differences{from}, data, count, sums, 1);
    state[0] = all;
    state[pitch] = from + sums[0] / all;
    state[2 * pitch] = sums[1] - sums[0] * sums[0] / all;
  }
  S merge(const S& a, const S& b, int64_t) const {
    const V all = a.part[0] + b.part[0], share = all == 0 ? V{} : b.part[0] / all, distance = b.part[1] - a.part[1];
    return {{all, a.part[1] + distance * share, a.part[2] + b.part[2] + distance * distance * a.part[0] * share}};
  }
};

}  // namespace scry::kernels
