#pragma once

#include <scry/core/kernels/reduce_loops.hpp>
#include <cmath>
#include <limits>
#include <type_traits>

// Reducers: sums, products, extremes, mean and variance.
namespace scry::kernels {

/// The sum of f(element), which is converted before.
template <class Sum, class F>
struct SumOf {
  using Acc = Sum;
  F f;
  Acc identity() const { return 0; }
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
/// The sum of the elements themselves.
template <class Sum>
using Total = SumOf<Sum, Identity>;
using Squares = SumOf<double, Square>;

/// How many elements aren't zero.
struct Nonzero {
  using Acc = int64_t;
  Acc identity() const { return 0; }
  template <class A, class V>
  A take(A count, V value) const {
    return count + (convert_lanes<A>(value != 0) & 1);  // true is -1 in lanes
  }
  template <class A>
  A merge(A a, A b) const {
    return a + b;
  }
};

template <class Wide>
struct Product {
  using Acc = Wide;
  Acc identity() const { return 1; }
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
  using Acc = T;
  using Limits = std::numeric_limits<T>;
  bool largest = true;

  /// Values in the order in which the largest is wanted, and back.
  template <class V>
  V ordered(V value) const {
    if constexpr (std::is_floating_point_v<T>)
      return largest ? value : -value;
    else
      return largest ? value : static_cast<V>(~value);
  }
  Acc identity() const { return Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest(); }
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

/// The extreme and the first place where it is.
template <class T>
struct ExtremeAt {
  struct Acc {
    T value;
    int64_t index;
  };
  using Index = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;  // as wide as an element, and wide enough for a piece
  static constexpr Index nowhere = std::numeric_limits<Index>::max();
  Extreme<T> extreme;

  Acc identity() const { return {extreme.identity(), 0}; }
  Acc merge(const Acc& a, const Acc& b) const {
    if (same(a.value, b.value)) return {a.value, std::min(a.index, b.index)};
    return same(extreme.merge(a.value, b.value), a.value) ? a : b;
  }
  /// One that was found among every `step`-th row.
  Acc moved(const Acc& a, int64_t step, int64_t first) const { return {a.value, a.index * step + first}; }

  template <class V>
  static auto same(V a, V b) {
    return (a == b) | ((a != a) & (b != b));
  }
  /// The first of `count` elements, one after the other, that is `best`.
  Index find(const T* data, int64_t count, T best) const {
    constexpr int64_t width = lanes_of<T>;
    using V = Lanes<T, width>;
    using Places = decltype(V{} == V{});
    const V wanted = V{} + best;
    Places place = Places{} + nowhere;
    for (int64_t i = count; i > 0; i -= width) {  // from the back, so that the first one stays
      const int64_t at = std::max<int64_t>(0, i - width);
      place = same(extreme.ordered(load_lanes<V>(data + at)), wanted) ? Places{} + static_cast<Index>(at) : place;
    }
    Index lane[width];
    for (Index l = 0; l < width; ++l) lane[l] = l;
    place = place + (place == nowhere ? Places{} : load_lanes<Places>(lane));
    return merge_lanes(place, [](const Places& a, const Places& b) { return a < b ? a : b; });
  }
  Acc row(const T* data, const Axes& reduced, int64_t begin, int64_t end) const {
    constexpr int64_t run = 512;
    const T best = detail::reduce_row(data, reduced, begin, end, extreme);
    const int64_t stride = reduced.inner_stride();
    for (; stride == 1 && end - begin >= lanes_of<T>; begin += std::min(run, end - begin)) {
      const Index place = find(data + begin, std::min(run, end - begin), best);
      if (place != nowhere) return {best, begin + place};
    }
    while (begin + 1 < end && !same(extreme.ordered(data[begin * stride]), best)) ++begin;
    return {best, begin};
  }
  void columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, Acc* out) const {
    T best[detail::most_together];
    Index first[detail::most_together];
    std::fill_n(best, columns, extreme.identity());
    std::fill_n(first, columns, Index{0});
    const auto take = [&](auto so_far, auto element, int64_t c, int64_t i) {
      const auto value = extreme.ordered(element);
      using V = decltype(so_far);
      using Places = std::conditional_t<std::is_arithmetic_v<V>, Index, decltype(V{} == V{})>;
      const auto better = (value > so_far) | ((value != value) & (so_far == so_far));
      store_lanes(first + c, better ? Places{} + static_cast<Index>(i - begin) : load_lanes<Places>(first + c));
      return better ? value : so_far;
    };
    detail::over_columns(data, columns, reduced, begin, end, take, best);
    for (int64_t c = 0; c < columns; ++c) out[c] = {best[c], begin + first[c]};
  }
};

/// The mean of a piece, then the squares of differences from it while the piece is in cache; pieces are merged as in Chan, Golub and LeVeque 1979.
struct Moments {
  struct Acc {
    double count, mean, squares;
  };
  Acc identity() const { return {0, 0, 0}; }
  Acc merge(const Acc& a, const Acc& b) const {
    if (a.count == 0) return b;
    const double count = a.count + b.count, distance = b.mean - a.mean, share = b.count / count;
    return {count, a.mean + distance * share, a.squares + b.squares + distance * distance * a.count * share};
  }
  template <class T>
  Acc row(const T* data, const Axes& reduced, int64_t begin, int64_t end) const {
    const auto count = static_cast<double>(end - begin);
    const double mean = detail::reduce_row(data, reduced, begin, end, Total<double>{}) / count;
    const auto square = [mean](auto v) { return (v - mean) * (v - mean); };
    return {count, mean, detail::reduce_row(data, reduced, begin, end, SumOf<double, decltype(square)>{square})};
  }
  template <class T>
  void columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, Acc* out) const {
    const auto count = static_cast<double>(end - begin);
    double means[detail::most_together], squares[detail::most_together];
    detail::reduce_columns(data, columns, reduced, begin, end, Total<double>{}, means);
    for (int64_t c = 0; c < columns; ++c) means[c] /= count;
    std::fill_n(squares, columns, 0.0);
    const auto take = [&](auto sum, auto value, int64_t c, int64_t) {
      const auto d = convert_lanes<decltype(sum)>(value) - load_lanes<decltype(sum)>(means + c);
      return sum + d * d;
    };
    detail::over_columns(data, columns, reduced, begin, end, take, squares);
    for (int64_t c = 0; c < columns; ++c) out[c] = {count, means[c], squares[c]};
  }
};

}  // namespace scry::kernels
