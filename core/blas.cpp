#include <scry/core/blas.hpp>
#include <scry/core/blas_panels.hpp>
#include <scry/core/blas_tiles.hpp>
#include <scry/core/kernels/map.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

#ifndef SCRY_BLAS_PLAIN
#include <cblas.h>
#endif

namespace scry::blas {
namespace {

// A few rows times a transposed b, whose columns are dense: each element is a scalar product, in lanes.
template <class T>
void product_by_dots(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  constexpr int64_t lanes = 8;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const T *x = a.data + i * a.stride, *y = b.data + j * b.stride;
      T sum[lanes]{};
      int64_t p = 0;
      for (; p + lanes <= k; p += lanes)
        for (int64_t l = 0; l < lanes; ++l) sum[l] += x[p + l] * y[p + l];
      for (int64_t l = 0; p + l < k; ++l) sum[l] += x[p + l] * y[p + l];
      for (int64_t width = lanes / 2; width > 0; width /= 2)
        for (int64_t l = 0; l < width; ++l) sum[l] += sum[l + width];
      T& out = c[i * c_stride + j];
      out = beta == T{0} ? alpha * sum[0] : beta * out + alpha * sum[0];
    }
}

constexpr int64_t small_product = 2048;  // multiply-adds below which OpenBLAS spends longer on its checks than on the product
// From how many multiply-adds on f32 products go through panels of our own, and below it through tiles: for a few rows, or columns that leave most of
// a register empty, OpenBLAS has kernels that are faster; so it has for rows too few to pay for laying a transposed matrix out anew, which with
// AVX-512 it needn't do either.
constexpr int64_t register_width = static_cast<int64_t>(kernels::Register<float>::size);
constexpr int64_t panel_product = 1 << 20, few_rows = 4, few_columns = 5 * register_width / 8, paying_rows = register_width == 16 ? 24 : 8;
constexpr int64_t product_piece = 1 << 20;  // multiply-adds that are worth a thread of their own …
constexpr int64_t narrowest_piece = 32;     // … and rows or columns, below which BLAS's kernels run dry

#ifdef SCRY_BLAS_PLAIN

template <class T>
void multiply(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  multiply_tiles<T>(m, n, k, alpha, a, b, beta, nullptr, c, c_stride);
}

#else

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }
blasint size(int64_t n) { return static_cast<blasint>(n); }

void multiply(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride) {
  cblas_sgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), size(m), size(n), size(k), alpha, a.data, size(a.stride), b.data, size(b.stride),
              beta, c, size(c_stride));
}

void multiply(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride) {
  cblas_dgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), size(m), size(n), size(k), alpha, a.data, size(a.stride), b.data, size(b.stride),
              beta, c, size(c_stride));
}

#endif

// Rows [begin, …) of a, or columns of b, as matrices of their own.
template <class T>
Matrix<T> rows_from(Matrix<T> a, int64_t begin) {
  a.data += a.transposed ? begin : begin * a.stride;
  return a;
}
template <class T>
Matrix<T> columns_from(Matrix<T> b, int64_t begin) {
  b.data += b.transposed ? begin * b.stride : begin;
  return b;
}

// A large product goes to the threads in pieces of the result whose sizes depend on the shapes alone: BLAS's own threads would cut it by their
// number, and with it the order of the sums.
template <class T>
void multiply_in_pieces(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride, const T* bias) {
  const int64_t products = m * n * k;
  const bool row_by_row = m <= few_rows && b.transposed && !a.transposed;
  bool in_tiles = products <= small_product && !(row_by_row && k >= 8);
  if constexpr (std::is_same_v<T, float>) {
    if (products >= panel_product || (row_by_row && products > small_product)) return multiply_panels(m, n, k, alpha, a, b, beta, bias, c, c_stride);
    in_tiles |= m >= few_rows && n >= few_columns && (!b.transposed || m >= paying_rows);
  }
  if (in_tiles) return multiply_tiles(m, n, k, alpha, a, b, beta, bias, c, c_stride);
  if (bias) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(bias, n, c + i * c_stride);
    beta = 1;
  }
  if (products <= small_product) return product_by_dots(m, n, k, alpha, a, b, beta, c, c_stride);
  const bool by_rows = m >= n;
  const int64_t length = by_rows ? m : n;
  const int64_t pieces = std::clamp<int64_t>(products / product_piece, 1, std::max<int64_t>(1, length / narrowest_piece));
  const int64_t piece = ((length + pieces - 1) / pieces + 15) / 16 * 16;
  parallel_for(length, piece, [&](int64_t begin, int64_t end) {
    const OneThread alone;
    if (by_rows)
      multiply(end - begin, n, k, alpha, rows_from(a, begin), b, beta, c + begin * c_stride, c_stride);
    else
      multiply(m, end - begin, k, alpha, a, columns_from(b, begin), beta, c + begin, c_stride);
  });
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride, const float* bias) {
  multiply_in_pieces(m, n, k, alpha, a, b, beta, c, c_stride, bias);
}

void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride,
          const double* bias) {
  multiply_in_pieces(m, n, k, alpha, a, b, beta, c, c_stride, bias);
}

}  // namespace scry::blas
