#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <algorithm>

namespace scry::kernels {

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
  copy_into(out, x);
  return out;
}

}  // namespace scry::kernels
