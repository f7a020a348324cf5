#include <scry/core/blas.hpp>
#include <scry/core/blas_panels.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

#ifndef SCRY_BLAS_PLAIN
#include <cblas.h>
#endif

namespace scry::blas {
namespace {

// The product written out, four columns of k at a time; it also serves where there is no BLAS.
template <class T>
void plain_rows(int64_t begin, int64_t end, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  for (int64_t i = begin; i < end; ++i) {
    T* row = c + i * c_stride;
    if (beta == T{0}) {
      std::fill_n(row, n, T{0});
    } else if (beta != T{1}) {
      for (int64_t j = 0; j < n; ++j) row[j] *= beta;
    }
    for (int64_t p = 0; p < k; ++p) {
      const T factor = alpha * (a.transposed ? a.data[p * a.stride + i] : a.data[i * a.stride + p]);
      const T* column = b.transposed ? b.data + p : b.data + p * b.stride;
      if (b.transposed)
        for (int64_t j = 0; j < n; ++j) row[j] += factor * column[j * b.stride];
      else
        for (int64_t j = 0; j < n; ++j) row[j] += factor * column[j];
    }
  }
}

constexpr int64_t block_depth = 64;

// `width` columns of b from j on as rows of whole registers, zeros after them.
template <int64_t block, class T>
void pack_columns(Matrix<T> b, int64_t j, int64_t width, int64_t k, T (*rows)[block]) {
  for (int64_t p = 0; p < k; ++p) {
    if (b.transposed)
      for (int64_t l = 0; l < block; ++l) rows[p][l] = l < width ? b.data[p + (j + l) * b.stride] : T{0};
    else
      for (int64_t l = 0; l < block; ++l) rows[p][l] = l < width ? b.data[p * b.stride + j + l] : T{0};
  }
}

// The same for small products, k up to block_depth: columns of the result stay in registers, `block` of them, while k goes by.
template <int64_t block, class T>
void product_by_columns(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  alignas(64) T packed[block_depth][block];
  const int64_t a_down = a.transposed ? 1 : a.stride, a_across = a.transposed ? a.stride : 1;
  for (int64_t j = 0; j < n; j += block) {
    const int64_t width = std::min(block, n - j);
    const bool as_it_lies = width == block && !b.transposed;
    if (!as_it_lies) pack_columns(b, j, width, k, packed);
    const T* rows = as_it_lies ? b.data + j : packed[0];
    const int64_t step = as_it_lies ? b.stride : block;
    for (int64_t i = 0; i < m; ++i) {
      alignas(64) T sum[block]{};
      for (int64_t p = 0; p < k; ++p) {
        const T factor = alpha * a.data[i * a_down + p * a_across];
        for (int64_t l = 0; l < block; ++l) sum[l] += factor * rows[p * step + l];
      }
      T* row = c + i * c_stride + j;
      if (beta == T{0} && width == block)
        for (int64_t l = 0; l < block; ++l) row[l] = sum[l];
      else
        for (int64_t l = 0; l < width; ++l) row[l] = beta == T{0} ? sum[l] : beta * row[l] + sum[l];
    }
  }
}

// The same for a few rows and a transposed b, whose columns are dense: each element is a scalar product, in lanes.
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
// From how many multiply-adds on f32 products go through panels of our own. Measured: they are a tenth to a third faster than OpenBLAS there; below
// it has kernels that pack nothing. A few rows times a transposed matrix are packed by OpenBLAS all the same.
constexpr int64_t panel_product = 1 << 20, few_rows = 4;
constexpr int64_t product_piece = 1 << 20;  // multiply-adds that are worth a thread of their own …
constexpr int64_t narrowest_piece = 32;     // … and rows or columns, below which BLAS's kernels run dry

#ifdef SCRY_BLAS_PLAIN

template <class T>
void multiply(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  plain_rows(0, m, n, k, alpha, a, b, beta, c, c_stride);
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
  if constexpr (std::is_same_v<T, float>) {
    const bool row_by_row = m <= few_rows && b.transposed && !a.transposed && m * n * k > small_product;
    if (row_by_row || m * n * k >= panel_product) return multiply_panels(m, n, k, alpha, a, b, beta, bias, c, c_stride);
  }
  if (bias) {
    for (int64_t i = 0; i < m; ++i) std::copy_n(bias, n, c + i * c_stride);
    beta = 1;
  }
  if (m * n * k <= small_product) {
    if (m <= 4 && k >= 8 && b.transposed && !a.transposed) return product_by_dots(m, n, k, alpha, a, b, beta, c, c_stride);
    if (k <= block_depth)
      return n <= 4 ? product_by_columns<4>(m, n, k, alpha, a, b, beta, c, c_stride)
                    : product_by_columns<16>(m, n, k, alpha, a, b, beta, c, c_stride);
    return plain_rows(0, m, n, k, alpha, a, b, beta, c, c_stride);
  }
  const bool by_rows = m >= n;
  const int64_t length = by_rows ? m : n;
  const int64_t pieces = std::clamp<int64_t>(m * n * k / product_piece, 1, std::max<int64_t>(1, length / narrowest_piece));
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
