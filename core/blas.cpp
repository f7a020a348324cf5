#include <scry/core/blas.hpp>
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

constexpr int64_t narrow_columns = 16, narrow_depth = 64;

// The same for few columns: rows of b are padded to whole registers, so that no loop ends early.
template <class T>
void narrow_product(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  alignas(64) T rows[narrow_depth][narrow_columns];
  const int64_t down = b.transposed ? 1 : b.stride, across = b.transposed ? b.stride : 1;
  for (int64_t p = 0; p < k; ++p) {
    std::fill_n(rows[p], narrow_columns, T{0});
    for (int64_t j = 0; j < n; ++j) rows[p][j] = b.data[p * down + j * across];
  }
  for (int64_t i = 0; i < m; ++i) {
    alignas(64) T sum[narrow_columns]{};
    for (int64_t p = 0; p < k; ++p) {
      const T factor = alpha * (a.transposed ? a.data[p * a.stride + i] : a.data[i * a.stride + p]);
      for (int64_t j = 0; j < narrow_columns; ++j) sum[j] += factor * rows[p][j];
    }
    T* row = c + i * c_stride;
    for (int64_t j = 0; j < n; ++j) row[j] = beta == T{0} ? sum[j] : beta * row[j] + sum[j];
  }
}

constexpr int64_t small_product = 2048;     // multiply-adds below which OpenBLAS spends longer on its checks than on the product
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
void multiply_in_pieces(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  if (m * n * k <= small_product) {
    const bool narrow = n <= narrow_columns && k <= narrow_depth;
    if (narrow) return narrow_product(m, n, k, alpha, a, b, beta, c, c_stride);
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

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride) {
  multiply_in_pieces(m, n, k, alpha, a, b, beta, c, c_stride);
}

void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride) {
  multiply_in_pieces(m, n, k, alpha, a, b, beta, c, c_stride);
}

}  // namespace scry::blas
