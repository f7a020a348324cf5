#pragma once

// The steps of a softmax over one row; for kernels' sources only.

#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/reducers.hpp>
#include <cmath>

namespace scry::kernels {

/// The largest element, or 0 where all are -infinity, which would give inf - inf.
template <class T>
T largest(const T* row, int64_t n) {
  Axes axes;
  axes.add(n, 1);
  const T best = detail::reduce_row(row, axes, 0, n, Extreme<T, true>{});
  return std::isinf(best) && best < 0 ? T{0} : best;
}

/// The sum of f(a[j], b[j]), in lanes that fill registers.
template <class T, class F>
double sum_over(const T* a, const T* b, int64_t n, const F& f) {
  constexpr int64_t lanes = 16;
  double lane[lanes]{};
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes)
    for (int64_t l = 0; l < lanes; ++l) lane[l] += f(static_cast<double>(a[j + l]), static_cast<double>(b[j + l]));
  for (; j < n; ++j) lane[j % lanes] += f(static_cast<double>(a[j]), static_cast<double>(b[j]));
  double sum = 0;
  for (double value : lane) sum += value;
  return sum;
}

/// out[j] = exp(row[j] - shift); returns the sum, added in double. `out` may be the row.
template <class T>
double exponentials(const T* row, T shift, int64_t n, T* out) {
  using V = Register<T>;
  const auto f = [shift](V v) { return xsimd::exp(v - V(shift)); };
  const void* in[] = {row};
  loop<decltype(f), T, T>(out, in, n, &f);
  return sum_over(out, out, n, [](double power, double) { return power; });
}

}  // namespace scry::kernels
