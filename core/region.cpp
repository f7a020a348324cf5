#include <scry/core/region.hpp>
#include <numeric>

namespace scry {

Region Region::whole(const Shape& shape) {
  Region region{shape, Shape::filled(shape.rank(), 0), Shape::filled(shape.rank(), 1)};
  std::iota(region.to.begin(), region.to.end(), int8_t{0});
  return region;
}

Region& Region::take(int axis, int64_t first, int64_t count, int64_t by) {
  shape[axis] = count;
  start[axis] = count ? first : 0;
  step[axis] = count > 1 ? by : 1;  // a single element makes no step, and one of any size must not overflow
  return *this;
}

Region& Region::drop(int axis) {
  shape.erase(axis);
  for (int8_t& along : to) along = static_cast<int8_t>(along == axis ? -1 : along > axis ? along - 1 : along);
  return *this;
}

Tensor Region::of(const Tensor& x) const {
  Shape strides = Shape::filled(shape.rank(), 0);
  int64_t offset = 0;
  for (int i = 0; i < x.rank(); ++i) {
    const int along = to[static_cast<size_t>(i)];
    offset += start[i] * x.strides()[i];
    if (along >= 0) strides[along] += step[i] * x.strides()[i];
  }
  for (int i = shape.rank() - 1; i >= 0; --i)  // a new axis, of size 1
    if (strides[i] == 0 && shape[i] == 1) strides[i] = i + 1 < shape.rank() ? shape[i + 1] * strides[i + 1] : 1;
  return Tensor::view(x.node().storage, x.node().offset + (element_count(shape) ? offset : 0), shape, strides, x.dtype());
}

}  // namespace scry
