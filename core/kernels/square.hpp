#pragma once

#include <scry/core/kernels/some.hpp>
#include <utility>

namespace scry::kernels {

/// Registers as the compiler's own vectors, which shuffle by any constant pattern.
template <class T>
struct Square {
  static constexpr size_t n = Register<T>::size;
  using Vector [[gnu::vector_size(n * sizeof(T))]] = T;

  template <size_t... i>
  static Vector zip(Vector a, Vector b, std::index_sequence<i...>, bool high) {
    if (high) return __builtin_shufflevector(a, b, static_cast<int>((i + n) / 2 + i % 2 * n)...);
    return __builtin_shufflevector(a, b, static_cast<int>(i / 2 + i % 2 * n)...);
  }

  /// Transposes up to n x n numbers, with zeros in the place of rows that aren't there: one perfect shuffle of all of them for every bit of the
  /// index.
  static void transpose(const T* from, int64_t from_stride, int64_t rows_there, int64_t columns, T* to, int64_t to_stride) {
    constexpr auto order = std::make_index_sequence<n>();
    Vector rows[n], next[n];
    for (size_t i = 0; i < n; ++i) {
      const bool there = static_cast<int64_t>(i) < rows_there;
      const Register<T> row = there ? load_some(from + static_cast<int64_t>(i) * from_stride, columns) : Register<T>(T{0});
      std::memcpy(&rows[i], &row, sizeof(Vector));
    }
    for (size_t bit = 1; bit < n; bit *= 2) {
      for (size_t i = 0; i < n / 2; ++i) {
        next[2 * i] = zip(rows[i], rows[i + n / 2], order, false);
        next[2 * i + 1] = zip(rows[i], rows[i + n / 2], order, true);
      }
      for (size_t i = 0; i < n; ++i) rows[i] = next[i];
    }
    for (size_t i = 0; i < n; ++i)
      if (static_cast<int64_t>(i) < columns) std::memcpy(to + static_cast<int64_t>(i) * to_stride, &rows[i], sizeof(Vector));
  }
};

}  // namespace scry::kernels
