#pragma once

#include <scry/core/blas.hpp>

namespace scry::blas {

/// gemm for f32 by kernels of our own: b goes through panels as wide as two registers, which are packed once for all rows of a; a is read where it
/// lies. Every element is summed in the same order whatever the number of threads. Without c's own values if beta is 0; then `bias` [n], where it is
/// given, is added to every row.
void multiply_panels(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, const float* bias, float* c,
                     int64_t c_stride);

}  // namespace scry::blas
