#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < columns, through registers. T: float, double or uint8_t.
template <class T>
void transpose(const T* in, int64_t in_stride, int64_t rows, int64_t columns, T* out, int64_t out_stride);

/// Copies x into a tensor of its shape and type where neighbours in the one don't lie side by side in the other; else returns false.
bool copy_transposed(const Tensor& out, const Tensor& x);

}  // namespace scry::kernels
