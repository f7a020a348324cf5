#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

// One image between channel planes and pixels, in squares that stay in L1.
template <class T>
void transpose_image(const T* in, int64_t channel_stride, int64_t pixel_stride, int64_t pixels, int64_t channels, T* out) {
  constexpr int64_t square = 16;
  for (int64_t p0 = 0; p0 < pixels; p0 += square)
    for (int64_t c0 = 0; c0 < channels; c0 += square)
      for (int64_t p = p0; p < std::min(pixels, p0 + square); ++p)
        for (int64_t c = c0; c < std::min(channels, c0 + square); ++c) out[p * channels + c] = in[c * channel_stride + p * pixel_stride];
}

}  // namespace

Shape channels_last_strides(const Shape& shape) {
  const int64_t channels = std::max<int64_t>(shape[1], 1);
  int64_t pixels = 1;
  for (int i = 2; i < shape.rank(); ++i) pixels *= std::max<int64_t>(shape[i], 1);
  if (channels == 1 || pixels == 1) return row_major_strides(shape);  // both layouts are one
  Shape strides = shape;
  int64_t step = channels;
  for (int i = shape.rank() - 1; i >= 2; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  strides[1] = 1;
  strides[0] = step;
  return strides;
}

bool is_channels_last(const Tensor& x) {
  if (x.numel() == 0) return true;
  const Shape expected = channels_last_strides(x.shape());
  for (int i = 0; i < x.rank(); ++i)
    if (x.shape()[i] != 1 && x.strides()[i] != expected[i]) return false;
  return true;
}

bool expendable(const Tensor& x) {
  const TensorNode& node = x.node();
  return node.unique() && node.storage->expendable() && (node.contiguous || (x.rank() > 2 && is_channels_last(x)));
}

Tensor empty_channels_last(const Shape& shape, DType dtype) { return Tensor::empty_strided(shape, channels_last_strides(shape), dtype); }

Tensor channels_last(const Tensor& x) {
  if (is_channels_last(x)) return x;
  Tensor out = empty_channels_last(x.shape(), x.dtype());
  Axes pixels;
  for (int i = 2; i < x.rank(); ++i) pixels.add(x.shape()[i], x.strides()[i]);
  if (pixels.rank > 1) {  // no single step leads from pixel to pixel
    copy_into(out, x);
    return out;
  }
  const int64_t channels = x.size(1), image = pixels.count * channels;
  dispatch(x.dtype(), [&]<class T>() {
    const T* in = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(out.raw());
    parallel_for(x.size(0), grain_for(image * static_cast<int64_t>(sizeof(T))), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        transpose_image(in + i * x.strides()[0], x.strides()[1], pixels.inner_stride(), pixels.count, channels, to + i * image);
    });
  });
  return out;
}

}  // namespace scry::kernels
