#include <scry/core/kernels/interleave.hpp>
#include <scry/core/kernels/some.hpp>
#include <utility>

namespace scry::kernels {
namespace {

// Registers as the compiler's own vectors, which shuffle by any constant pattern.
template <class T>
struct Square {
  static constexpr size_t n = Register<T>::size;
  using Vector [[gnu::vector_size(n * sizeof(T))]] = T;

  template <size_t... i>
  static Vector zip(Vector a, Vector b, std::index_sequence<i...>, bool high) {
    if (high) return __builtin_shufflevector(a, b, static_cast<int>((i + n) / 2 + i % 2 * n)...);
    return __builtin_shufflevector(a, b, static_cast<int>(i / 2 + i % 2 * n)...);
  }

  // Transposes up to n x n numbers, with zeros in the place of rows that aren't there: one perfect shuffle of all of them for every bit of the index.
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

}  // namespace

template <class T>
void interleave(const T* from, int64_t stride, int64_t rows, int64_t size, T* to, int64_t to_stride) {
  constexpr auto lanes = static_cast<int64_t>(Register<T>::size), few = 4 * lanes;
  if (rows * size <= few) {
    for (int64_t i = 0; i < size; ++i, to += to_stride) {
      Register<T>(T{0}).store_unaligned(to);
      for (int64_t n = 0; n < rows; ++n) to[n] = from[n * stride + i];
    }
    return;
  }
  for (int64_t i = 0; i < size; i += lanes) Square<T>::transpose(from + i, stride, rows, std::min(lanes, size - i), to + i * to_stride, to_stride);
}
template void interleave(const float*, int64_t, int64_t, int64_t, float*, int64_t);
template void interleave(const double*, int64_t, int64_t, int64_t, double*, int64_t);

void deinterleave(const float* from, int64_t size, int64_t rows, int64_t stride, float* to) {
  constexpr auto lanes = static_cast<int64_t>(Register<float>::size);
  int64_t i = 0;
  if (rows == lanes)
    for (; i + lanes <= size; i += lanes) Square<float>::transpose(from + i * lanes, lanes, lanes, lanes, to + i, stride);
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t k = i; k < size; ++k) to[n * stride + k] = from[k * lanes + n];
}

}  // namespace scry::kernels
