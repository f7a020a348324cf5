#pragma once

#include <cstdint>

namespace scry::blas {

/// A row-major matrix: element (i, j) is data[i * stride + j], or data[j * stride + i] when transposed.
template <class T>
struct Matrix {
  const T* data;
  int64_t stride;
  bool transposed = false;
};

/// c = alpha a b + beta c, with a: [m, k], b: [k, n], c: [m, n], row-major with c_stride elements from row to row. With beta = 0 what is in c
/// doesn't matter, and every row starts from `bias` [n] where there is one. Runs in the calling thread inside a parallel_for, else on all threads;
/// the sums don't depend on their number.
void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, float* c, int64_t c_stride,
          const float* bias = nullptr);
void gemm(int64_t m, int64_t n, int64_t k, double alpha, Matrix<double> a, Matrix<double> b, double beta, double* c, int64_t c_stride,
          const double* bias = nullptr);

}  // namespace scry::blas
