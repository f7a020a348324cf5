#pragma once

// Transposition in registers; for kernels' sources only.

#include <scry/core/kernels/map.hpp>
#include <cstring>
#include <utility>

namespace scry::kernels {
namespace detail {

template <class Vector, size_t... i>
Vector zip(Vector a, Vector b, std::index_sequence<i...>, bool high) {
  constexpr size_t n = sizeof...(i);
  if (high) return __builtin_shufflevector(a, b, static_cast<int>((i + n) / 2 + i % 2 * n)...);
  return __builtin_shufflevector(a, b, static_cast<int>(i / 2 + i % 2 * n)...);
}

}  // namespace detail

/// to[k * to_stride + j] = from[j * from_stride + k] for j and k below the number of elements in a register: one perfect shuffle of all of them for
/// every bit of the index.
template <class T>
void transpose_square(const T* from, int64_t from_stride, T* to, int64_t to_stride) {
  constexpr size_t n = Register<T>::size;
  constexpr auto order = std::make_index_sequence<n>();
  using Vector [[gnu::vector_size(n * sizeof(T))]] = T;  // the compiler's own vectors shuffle by any constant pattern
  Vector rows[n], next[n];
  for (size_t i = 0; i < n; ++i) std::memcpy(&rows[i], from + static_cast<int64_t>(i) * from_stride, sizeof(Vector));
  for (size_t bit = 1; bit < n; bit *= 2) {
    for (size_t i = 0; i < n / 2; ++i) {
      next[2 * i] = detail::zip(rows[i], rows[i + n / 2], order, false);
      next[2 * i + 1] = detail::zip(rows[i], rows[i + n / 2], order, true);
    }
    for (size_t i = 0; i < n; ++i) rows[i] = next[i];
  }
  for (size_t i = 0; i < n; ++i) std::memcpy(to + static_cast<int64_t>(i) * to_stride, &rows[i], sizeof(Vector));
}

}  // namespace scry::kernels
