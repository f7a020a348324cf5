#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <algorithm>

namespace scry::kernels {

Shape channels_last_strides(const Shape& shape) {
  Shape strides = shape;
  int64_t step = std::max<int64_t>(shape[1], 1);
  strides[1] = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (i == 1) continue;
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

bool is_channels_last(const Tensor& x) {
  const Shape expected = channels_last_strides(x.shape());
  if (x.numel() == 0) return true;
  for (int i = 0; i < x.rank(); ++i)
    if (x.shape()[i] != 1 && x.strides()[i] != expected[i]) return false;
  return true;
}

Tensor empty_channels_last(const Shape& shape, DType dtype) { return Tensor::empty_strided(shape, channels_last_strides(shape), dtype); }

Tensor channels_last(const Tensor& x) {
  if (is_channels_last(x)) return x;
  Tensor out = empty_channels_last(x.shape(), x.dtype());
  copy_into(out, x);
  return out;
}

}  // namespace scry::kernels
