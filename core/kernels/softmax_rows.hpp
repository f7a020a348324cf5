#pragma once

// The steps of a softmax over one row; for kernels' sources only.

#include <scry/core/kernels/map.hpp>
#include <algorithm>
#include <cmath>
#include <limits>

namespace scry::kernels {

/// The largest element, or 0 where all are -infinity, which would give inf - inf. NaNs don't count: their powers are NaN whatever the shift.
template <class T>
T largest(const T* row, int64_t n) {
  constexpr int64_t lanes = 16;
  const auto greater = [](T a, T b) { return a > b ? a : b; };
  T best = -std::numeric_limits<T>::infinity();
  int64_t j = 0;
  if (n >= lanes) {
    T lane[lanes];
    std::fill_n(lane, lanes, best);
    for (; j + lanes <= n; j += lanes)
      for (int64_t l = 0; l < lanes; ++l) lane[l] = greater(row[j + l], lane[l]);
    for (T value : lane) best = greater(value, best);
  }
  for (; j < n; ++j) best = greater(row[j], best);
  return std::isinf(best) && best < 0 ? T{0} : best;
}

/// The sum of f(a[j], b[j]), in lanes that fill registers.
template <class T, class F>
double sum_over(const T* a, const T* b, int64_t n, const F& f) {
  constexpr int64_t lanes = 16;
  double sum = 0;
  int64_t j = 0;
  if (n >= lanes) {
    double lane[lanes]{};
    for (; j + lanes <= n; j += lanes)
      for (int64_t l = 0; l < lanes; ++l) lane[l] += f(static_cast<double>(a[j + l]), static_cast<double>(b[j + l]));
    for (double value : lane) sum += value;
  }
  for (; j < n; ++j) sum += f(static_cast<double>(a[j]), static_cast<double>(b[j]));
  return sum;
}

template <class T>
double sum_of_powers(const T* row, int64_t n) {
  return sum_over(row, row, n, [](double power, double) { return power; });
}

/// out[j] = exp(row[j] - shift); returns the sum, added in double. `out` may be the row.
template <class T>
double exponentials(const T* row, T shift, int64_t n, T* out) {
  using V = Register<T>;
  const auto f = [shift](V v) { return xsimd::exp(v - V(shift)); };
  const void* in[] = {row};
  loop<decltype(f), T, T>(out, in, n, &f);
  return sum_of_powers(out, n);
}

/// The same without the sum for rows of n elements, each with its shift. Short rows share registers.
template <class T>
void exponentials_of_rows(const T* from, const T* shifts, int64_t rows, int64_t n, T* out) {
  constexpr int64_t most = 512;
  const auto f = []<class V>(V v, V shift) { return xsimd::exp(v - shift); };
  T shift[most];
  const int64_t width = std::min(n, most), together = most / std::max<int64_t>(width, 1);
  for (int64_t first = 0, count; first < rows; first += count) {
    count = std::min(together, rows - first);
    for (int64_t i = 0, at = 0; i < count; ++i)
      for (int64_t c = 0; c < width; ++c) shift[at++] = shifts[first + i];
    for (int64_t c = 0; c < n; c += width) {
      const void* in[] = {from + first * n + c, shift};
      loop<decltype(f), T, T, T>(out + first * n + c, in, count * std::min(width, n - c), &f);
    }
  }
}

}  // namespace scry::kernels
