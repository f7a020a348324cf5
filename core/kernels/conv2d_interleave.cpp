#include <scry/core/kernels/conv2d_images.hpp>
#include <scry/core/kernels/transpose_square.hpp>

namespace scry::kernels::conv {

void interleave(const float* from, int64_t stride, int64_t images, int64_t size, float* to, int64_t to_stride) {
  int64_t i = 0;
  if (images == lanes)
    for (; i + lanes <= size; i += lanes) transpose_square(from + i, stride, to + i * to_stride, to_stride);
  for (; i < size; ++i)
    for (int64_t n = 0; n < lanes; ++n) to[i * to_stride + n] = n < images ? from[n * stride + i] : 0;
}

void deinterleave(const float* from, int64_t size, int64_t images, int64_t stride, float* to) {
  int64_t i = 0;
  if (images == lanes)
    for (; i + lanes <= size; i += lanes) transpose_square(from + i * lanes, lanes, to + i, stride);
  for (int64_t n = 0; n < images; ++n)
    for (int64_t k = i; k < size; ++k) to[n * stride + k] = from[k * lanes + n];
}

}  // namespace scry::kernels::conv
