#include <scry/core/kernels/conv2d_images.hpp>
#include <cstring>
#include <utility>

namespace scry::kernels::conv {
namespace {

// Registers as the compiler's own vectors, which shuffle by any constant pattern.
using Vector [[gnu::vector_size(lanes * sizeof(float))]] = float;

template <size_t... i>
Vector zip(Vector a, Vector b, std::index_sequence<i...>, bool high) {
  constexpr size_t n = sizeof...(i);
  if (high) return __builtin_shufflevector(a, b, static_cast<int>((i + n) / 2 + i % 2 * n)...);
  return __builtin_shufflevector(a, b, static_cast<int>(i / 2 + i % 2 * n)...);
}

// Transposes a square of lanes x lanes numbers: one perfect shuffle of all of them for every bit of the index.
void transpose(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  constexpr auto n = static_cast<size_t>(lanes);
  constexpr auto order = std::make_index_sequence<n>();
  Vector rows[n], next[n];
  for (size_t i = 0; i < n; ++i) std::memcpy(&rows[i], from + static_cast<int64_t>(i) * from_stride, sizeof(Vector));
  for (size_t bit = 1; bit < n; bit *= 2) {
    for (size_t i = 0; i < n / 2; ++i) {
      next[2 * i] = zip(rows[i], rows[i + n / 2], order, false);
      next[2 * i + 1] = zip(rows[i], rows[i + n / 2], order, true);
    }
    for (size_t i = 0; i < n; ++i) rows[i] = next[i];
  }
  for (size_t i = 0; i < n; ++i) std::memcpy(to + static_cast<int64_t>(i) * to_stride, &rows[i], sizeof(Vector));
}

}  // namespace

void interleave(const float* from, int64_t stride, int64_t images, int64_t size, float* to, int64_t to_stride) {
  int64_t i = 0;
  if (images == lanes)
    for (; i + lanes <= size; i += lanes) transpose(from + i, stride, to + i * to_stride, to_stride);
  for (; i < size; ++i)
    for (int64_t n = 0; n < lanes; ++n) to[i * to_stride + n] = n < images ? from[n * stride + i] : 0;
}

void deinterleave(const float* from, int64_t size, int64_t images, int64_t stride, float* to) {
  int64_t i = 0;
  if (images == lanes)
    for (; i + lanes <= size; i += lanes) transpose(from + i * lanes, lanes, to + i, stride);
  for (int64_t n = 0; n < images; ++n)
    for (int64_t k = i; k < size; ++k) to[n * stride + k] = from[k * lanes + n];
}

}  // namespace scry::kernels::conv
