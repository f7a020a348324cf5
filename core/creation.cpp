#include <scry/core/creation.hpp>
#include <scry/core/kernels/convert.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/room.hpp>
#include <algorithm>
#include <cmath>

namespace scry {

Tensor full(const Shape& shape, double value, DType dtype) {
  Tensor out = empty_for("full", shape, dtype);
  kernels::fill(out, value);
  return out;
}

Tensor arange(double start, double stop, double step, DType dtype) {
  require(step != 0 && std::isfinite(start) && std::isfinite(stop) && std::isfinite(step),
          "arange: expected finite numbers and a step other than 0, got ", start, ", ", stop, ", ", step);
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  require(count < 0x1p62, "arange: ", count, " elements are too many");
  Tensor out = empty_for("arange", {static_cast<int64_t>(count)}, dtype);
  dispatch(dtype, [&]<class T>() {
    for (int64_t i = 0; i < out.numel(); ++i) static_cast<T*>(out.raw())[i] = kernels::convert<T>(start + static_cast<double>(i) * step);
  });
  return out;
}

Tensor arange_integers(int64_t start, int64_t stop, int64_t step, DType dtype) {
  require(step != 0, "arange: a step of 0 goes nowhere");
  // Unsigned, where the distance between any two integers has room.
  const auto from = static_cast<uint64_t>(start), to = static_cast<uint64_t>(stop), by = static_cast<uint64_t>(step);
  const uint64_t distance = step > 0 ? (stop > start ? to - from : 0) : (stop < start ? from - to : 0);
  const uint64_t count = distance ? (distance - 1) / (step > 0 ? by : 0 - by) + 1 : 0;
  require(count <= INT64_MAX, "arange: from ", start, " to ", stop, " by ", step, " are too many elements");
  const Tensor out = empty_for("arange", {static_cast<int64_t>(count)}, i64);
  for (uint64_t i = 0; i < count; ++i) static_cast<int64_t*>(out.raw())[i] = static_cast<int64_t>(from + i * by);
  return kernels::cast(out, dtype);
}

Tensor linspace(double start, double stop, int64_t count, DType dtype) {
  require(std::isfinite(start) && std::isfinite(stop) && count >= 0, "linspace: expected finite numbers and a count, got ", start, ", ", stop, ", ",
          count);
  const Tensor out = empty_for("linspace", {count}, f64);
  auto* to = static_cast<double*>(out.raw());
  const double step = count > 1 ? stop / static_cast<double>(count - 1) - start / static_cast<double>(count - 1) : 0;
  for (int64_t i = 0; i < count; ++i)  // from both ends, so that both are exact and their halves mirror each other
    to[i] = i < (count + 1) / 2 ? start + static_cast<double>(i) * step : stop - static_cast<double>(count - 1 - i) * step;
  return kernels::cast(out, dtype);
}

Tensor eye(int64_t rows, int64_t columns, DType dtype) {
  columns = columns == -1 ? rows : columns;
  require(rows >= 0 && columns >= 0, "eye: expected sizes of at least 0, got ", rows, " and ", columns);
  Tensor out = empty_for("eye", {rows, columns}, dtype);
  kernels::fill(out, 0);
  const int64_t length = std::min(rows, columns);
  if (length) kernels::fill(Tensor::view(out.node().storage, 0, {length}, {columns + 1}, dtype), 1);
  return out;
}

Tensor empty_like(const Tensor& x, std::optional<DType> dtype) {
  return Tensor::empty_strided(x.shape(), kernels::strides_like(x), dtype.value_or(x.dtype()));
}

Tensor full_like(const Tensor& x, double value, std::optional<DType> dtype) {
  const Tensor out = empty_like(x, dtype);
  kernels::fill(out, value);
  return out;
}

NestedValues::NestedValues(std::initializer_list<NestedValues> list)
    : shape_{static_cast<int64_t>(list.size())}, dtype_(list.size() ? boolean : f32), parts_(list) {
  for (const NestedValues& part : parts_) {
    require(part.shape_ == parts_[0].shape_, "tensor: braces of shapes ", parts_[0].shape_, " and ", part.shape_, " stand side by side");
    dtype_ = promote(dtype_, part.dtype_);
  }
  if (!parts_.empty())
    for (int64_t size : parts_[0].shape_) shape_.push_back(size);
}

void NestedValues::write_to(Tensor& out, int64_t& next) const {
  for (const NestedValues& part : parts_) part.write_to(out, next);
  if (shape_.rank() > 0) return;
  if (out.dtype() == i64)
    out.mutable_data<int64_t>()[next++] = integer_;
  else
    out.mutable_data<double>()[next++] = number_;
}

Tensor tensor(const NestedValues& values, std::optional<DType> dtype) {
  // Integers past 2^53 are no doubles, so they are written as what they are.
  Tensor out = Tensor::empty(values.shape_, is_floating(values.dtype_) ? f64 : i64);
  int64_t next = 0;
  values.write_to(out, next);
  return kernels::cast(out, dtype.value_or(values.dtype_));
}

}  // namespace scry
