#pragma once

#include <scry/core/kernels/reduce_driver.hpp>
#include <bit>
#include <limits>

// Reducers: sums of any function, extremes, mean and variance.
namespace scry::kernels {

/// The sum of f(element).
template <class Sum, class F>
struct SumOf {
  using Acc = Sum;
  F f;
  Acc identity() const { return 0; }
  template <class T>
  Acc take(Acc sum, T value) const {
    return sum + static_cast<Acc>(f(value));
  }
  Acc merge(Acc a, Acc b) const { return a + b; }
};

template <class Sum, class F>
SumOf<Sum, F> sum_of(const F& f) {
  return {f};
}

struct Identity {
  auto operator()(auto value) const { return value; }
};
/// The sum of the elements themselves.
template <class Sum>
using Total = SumOf<Sum, Identity>;

/// The largest or smallest element; NaN is both.
template <class T, bool largest>
struct Extreme {
  using Acc = T;
  using Limits = std::numeric_limits<T>;
  Acc identity() const {
    const T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
    const T low = Limits::has_infinity ? static_cast<T>(-high) : Limits::lowest();
    return largest ? low : high;
  }
  Acc take(Acc best, T value) const {
    const bool better = (largest ? value > best : value < best) | (value != value);
    if constexpr (std::is_floating_point_v<T>) {  // bit by bit: a compiler would make it a branch, which can't be foreseen
      using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
      const Bits mask = Bits{0} - Bits{better};
      return std::bit_cast<T>((std::bit_cast<Bits>(value) & mask) | (std::bit_cast<Bits>(best) & ~mask));
    } else {
      return better ? value : best;
    }
  }
  Acc merge(Acc a, Acc b) const { return take(a, b); }
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
    return {count, mean, detail::reduce_row(data, reduced, begin, end, sum_of<double>([mean](T v) {
                                              const double d = static_cast<double>(v) - mean;
                                              return d * d;
                                            }))};
  }
  template <class T>
  void columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, Acc* out) const {
    const auto count = static_cast<double>(end - begin);
    double means[detail::column_block], squares[detail::column_block]{};
    detail::reduce_columns(data, columns, reduced, begin, end, Total<double>{}, means);
    for (int64_t c = 0; c < columns; ++c) means[c] /= count;
    for (int64_t i = begin; i < end; ++i) {
      const T* row = data + reduced.offset(i);
      for (int64_t c = 0; c < columns; ++c) {
        const double d = static_cast<double>(row[c]) - means[c];
        squares[c] += d * d;
      }
    }
    for (int64_t c = 0; c < columns; ++c) out[c] = {count, means[c], squares[c]};
  }
};

}  // namespace scry::kernels
