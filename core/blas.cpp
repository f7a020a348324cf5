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

constexpr int64_t small_product = 2048;  // multiply-adds below which OpenBLAS spends longer on its checks than on the product

template <class T>
bool multiply_plainly(int64_t m, int64_t n, int64_t k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t c_stride) {
  if (m * n * k <= small_product) {
    plain_rows(0, m, n, k, alpha, a, b, beta, c, c_stride);
    return true;
  }
#ifdef SCRY_BLAS_PLAIN
  parallel_for(m, std::max<int64_t>(1, 65536 / (n * k)),
               [&](int64_t begin, int64_t end) { plain_rows(begin, end, n, k, alpha, a, b, beta, c, c_stride); });
  return true;
#else
  return false;
#endif
}

}  // namespace

#ifdef SCRY_BLAS_PLAIN

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride) {
  multiply_plainly(m, n, k, alpha, a, b, beta, c, c_stride);
}

void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride) {
  multiply_plainly(m, n, k, alpha, a, b, beta, c, c_stride);
}

#else
namespace {

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }
blasint size(int64_t n) { return static_cast<blasint>(n); }

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride) {
  if (multiply_plainly(m, n, k, alpha, a, b, beta, c, c_stride)) return;
  cblas_sgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), size(m), size(n), size(k), alpha, a.data, size(a.stride), b.data, size(b.stride),
              beta, c, size(c_stride));
}

void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride) {
  if (multiply_plainly(m, n, k, alpha, a, b, beta, c, c_stride)) return;
  cblas_dgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), size(m), size(n), size(k), alpha, a.data, size(a.stride), b.data, size(b.stride),
              beta, c, size(c_stride));
}

#endif

}  // namespace scry::blas
