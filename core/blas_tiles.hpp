#pragma once

// Products of f32 or f64 in tiles of registers.

#include <scry/core/blas.hpp>
#include <scry/core/kernels/panel.hpp>

namespace scry::blas {

template <class T>
inline constexpr auto lanes_of = static_cast<int64_t>(kernels::Register<T>::size);
/// Of a panel of b: it stays in the first cache.
template <class T>
inline constexpr int64_t widest_panel = 2 * lanes_of<T>;
inline constexpr int64_t panel_depth = 256;

/// Rows [p, p + count) and columns [j, j + columns) of b times alpha, as [count, width] in whole registers with zeros behind the columns.
template <class T>
void pack_panel(Matrix<T> b, T alpha, int64_t p, int64_t count, int64_t j, int64_t columns, T* panel, int64_t width) {
  for (int64_t v = 0; v < width; v += lanes_of<T>) {
    if (b.transposed)
      kernels::interleave(b.data + (j + v) * b.stride + p, b.stride, std::min(lanes_of<T>, columns - v), count, panel + v, width);
    else
      for (int64_t i = 0; i < count; ++i) kernels::load_some(b.data + (p + i) * b.stride + j + v, columns - v).store_aligned(panel + i * width + v);
  }
  if (alpha != 1)
    for (int64_t i = 0; i < count * width; ++i) panel[i] *= alpha;
}

/// The product of `rows` rows and up to `widest_panel` columns. It starts from what is in its place if it `adds`, else from a bias, or zeros.
template <class T>
void multiply_columns(kernels::TileProduct<T>& t, int64_t rows, int64_t columns, bool adds, const T* bias);

/// gemm in this thread for operands that fit the caches near it: straight from where the operands lie; only a transposed b, or one to be scaled, goes
/// through a panel.
template <class T>
void multiply_tiles(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, const T* bias, T* c, int64_t c_stride);

}  // namespace scry::blas
