#include <scry/core/blas_tiles.hpp>
#include <algorithm>

namespace scry::blas {

using kernels::PanelRows;
using kernels::TileProduct;

template <class T>
void multiply_columns(TileProduct<T>& t, int64_t rows, int64_t columns, bool adds, const T* bias) {
  t.start = adds ? t.out : bias;
  t.start_row = adds ? t.out_row : 0;
  if (columns == widest_panel<T>) return kernels::tile_product<T, 2>(t, rows);
  t.last = (columns - 1) % lanes_of<T> + 1;
  columns > lanes_of<T> ? kernels::tile_product<T, 2, true>(t, rows) : kernels::tile_product<T, 1, true>(t, rows);
}
template void multiply_columns(TileProduct<float>&, int64_t, int64_t, bool, const float*);

template <class T>
void multiply_tiles(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, const T* bias, T* c, int64_t c_stride) {
  constexpr int64_t lanes = lanes_of<T>, widest = widest_panel<T>;
  alignas(64) T panel[panel_depth * widest];
  if (beta != 0 && beta != 1)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) c[i * c_stride + j] *= beta;
  const bool packs = b.transposed || alpha != 1;
  for (int64_t j = 0; j < n; j += widest) {
    const int64_t columns = std::min(widest, n - j), width = columns > lanes ? widest : lanes;
    for (int64_t p = 0; p < std::max<int64_t>(k, 1); p += panel_depth) {
      const int64_t count = std::min(panel_depth, k - p);
      if (packs) pack_panel(b, alpha, p, count, j, columns, panel, width);
      TileProduct<T> t{.a = a.transposed ? PanelRows<T>{a.data + p * a.stride, 1, a.stride} : PanelRows<T>{a.data + p, a.stride},
                       .depth = count,
                       .b = packs ? panel : b.data + p * b.stride + j,
                       .b_row = packs ? width : b.stride,
                       .out = c + j,
                       .out_row = c_stride};
      multiply_columns(t, m, columns, p > 0 || beta != 0, bias ? bias + j : nullptr);
    }
  }
}
template void multiply_tiles(int64_t, int64_t, int64_t, float, Matrix<float>, Matrix<float>, float, const float*, float*, int64_t);
template void multiply_tiles(int64_t, int64_t, int64_t, double, Matrix<double>, Matrix<double>, double, const double*, double*, int64_t);

}  // namespace scry::blas
