#pragma once

#include <cstdint>

namespace scry::kernels {

/// Rows side by side in the lanes of a register: to[i * to_stride + n] = from[n * stride + i] for i < size, n < rows, and zeros in the lanes beyond.
/// There are up to a register's width of rows; f32 or f64.
template <class T>
void interleave(const T* from, int64_t stride, int64_t rows, int64_t size, T* to, int64_t to_stride);
/// The way back, from lines of one register: to[n * stride + i] = from[i * lanes + n].
void deinterleave(const float* from, int64_t size, int64_t rows, int64_t stride, float* to);

}  // namespace scry::kernels
