#include <scry/core/kernels/interleave.hpp>
#include <scry/core/kernels/square.hpp>
#include <scry/core/kernels/transpose.hpp>

namespace scry::kernels {

template <class T>
void interleave(const T* from, int64_t stride, int64_t rows, int64_t size, T* to, int64_t to_stride) {
  constexpr auto lanes = static_cast<int64_t>(Register<T>::size), few = 4 * lanes;
  if (rows * size <= few) {
    for (int64_t i = 0; i < size; ++i, to += to_stride) {
      Register<T>(T{0}).store_unaligned(to);
      for (int64_t n = 0; n < rows; ++n) to[n] = from[n * stride + i];
    }
    return;
  }
  for (int64_t i = 0; i < size; i += lanes) Square<T>::transpose(from + i, stride, rows, std::min(lanes, size - i), to + i * to_stride, to_stride);
}
template void interleave(const float*, int64_t, int64_t, int64_t, float*, int64_t);
template void interleave(const double*, int64_t, int64_t, int64_t, double*, int64_t);

void deinterleave(const float* from, int64_t size, int64_t rows, int64_t stride, float* to) {
  transpose(from, static_cast<int64_t>(Register<float>::size), size, rows, to, stride);
}

}  // namespace scry::kernels
