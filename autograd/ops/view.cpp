#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <algorithm>

namespace scry {

using autograd::checked_axis;
using autograd::record;
using autograd::wrt;

namespace {

// The tensor's memory as it lies there, from `offset` on.
Tensor view_of(const Tensor& x, int64_t offset, const Shape& shape, const Shape& strides) {
  return Tensor::view(x.node().storage, x.node().offset + offset, shape, strides, x.dtype());
}

// The shape with its -1 filled in.
Shape complete_shape(const char* op, const Tensor& x, const Shape& shape) {
  Shape out = shape;
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1) {
      require(unknown < 0, op, ": only one size of ", shape, " may be -1");
      unknown = i;
    } else {
      require(shape[i] >= 0, op, ": size ", shape[i], " in ", shape, "; sizes are at least 0, or -1 for one to be worked out");
      require(!__builtin_mul_overflow(known, shape[i], &known), op, ": shape ", shape, " has too many elements");
    }
  }
  if (unknown >= 0) {
    require(known > 0 && x.numel() % known == 0, op, ": ", x.numel(), " elements of shape ", x.shape(), " don't fill ", shape);
    out[unknown] = x.numel() / known;
  }
  require(element_count(out) == x.numel(), op, ": shape ", x.shape(), " has ", x.numel(), " elements, ", shape, " has ", element_count(out));
  return out;
}

// The strides with which `x` shows itself under `shape`, or nothing where only a copy can.
std::optional<Shape> strides_for(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous()) return row_major_strides(shape);
  kernels::Axes runs;  // x's axes, merged where they step as one
  for (int i = 0; i < x.rank(); ++i) runs.add(x.shape()[i], x.strides()[i]);
  Shape strides = Shape::filled(shape.rank(), 1);
  int to = shape.rank() - 1;
  for (auto run = static_cast<size_t>(runs.rank); run-- > 0;) {
    int64_t filled = 1;
    while (to >= 0 && filled < runs.sizes[run]) {
      strides[to] = runs.strides[run] * filled;
      filled *= shape[to--];
    }
    if (filled != runs.sizes[run]) return std::nullopt;
  }
  return strides;
}

Tensor reshaped(const char* op, const Tensor& x, const Tensor& y) { return record(op)(y, wrt(x, reshape, x.shape())); }

// The elements start, start + step, … before stop of an axis with `size` elements.
struct Run {
  int64_t from, count, step;
};

Run run_of(const char* op, Slice slice, int64_t size) {
  require(slice.step != 0, op, ": a step of 0 goes nowhere");
  const int64_t step = std::max(slice.step, -INT64_MAX);  // the one number without an opposite
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? size : size - 1;
  const auto place = [&](int64_t position) { return std::clamp(position < 0 ? std::max(position, -size - 1) + size : position, lowest, highest); };
  const int64_t from = place(slice.start), to = slice.stop == to_end ? (step > 0 ? size : -1) : place(slice.stop);
  const int64_t span = step > 0 ? to - from : from - to;
  return {from, span > 0 ? (span - 1) / std::abs(step) + 1 : 0, step};
}

int64_t wrap_position(const char* op, int64_t index, int axis, const Shape& shape) {
  const int64_t size = shape[axis];
  require(index >= -size && index < size, op, ": index ", index, " is out of range for axis ", axis, " of shape ", shape);
  return index < 0 ? index + size : index;
}

// What `x.at(indices)` looks at.
Region region_of(const char* op, std::span<const Index> indices, const Shape& whole) {
  int named = 0, gaps = 0;
  for (const Index& index : indices) {
    named += index.kind == Index::Kind::position || index.kind == Index::Kind::slice;
    gaps += index.kind == Index::Kind::rest;
  }
  require(gaps <= 1, op, ": only one ellipsis can be filled");
  require(named <= whole.rank(), op, ": ", named, " indices for a tensor of shape ", whole);
  Region region{{}, Shape::filled(whole.rank(), 0), Shape::filled(whole.rank(), 1)};
  int axis = 0;
  const auto keep = [&](const Run& run) {
    region.to[static_cast<size_t>(axis)] = static_cast<int8_t>(region.shape.rank());
    region.shape.push_back(run.count);
    region.start[axis] = run.count ? run.from : 0;
    region.step[axis++] = run.count > 1 ? run.step : 1;
  };
  const auto keep_whole = [&](int count) {
    for (; count > 0; --count) keep({0, whole[axis], 1});
  };
  for (const Index& index : indices) {
    switch (index.kind) {
      case Index::Kind::position:
        region.to[static_cast<size_t>(axis)] = -1;
        region.start[axis] = wrap_position(op, index.slice.start, axis, whole);
        ++axis;
        break;
      case Index::Kind::slice: keep(run_of(op, index.slice, whole[axis])); break;
      case Index::Kind::rest: keep_whole(whole.rank() - named); break;
      case Index::Kind::fresh: region.shape.push_back(1); break;
    }
  }
  keep_whole(whole.rank() - axis);
  return region;
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  autograd::require_defined("reshape", x);
  const Shape full = complete_shape("reshape", x, shape);
  if (full == x.shape()) return x;
  const auto strides = strides_for(x, full);
  return reshaped("reshape", x, strides ? view_of(x, 0, full, *strides) : view_of(kernels::contiguous(x), 0, full, row_major_strides(full)));
}

Tensor view(const Tensor& x, const Shape& shape) {
  autograd::require_defined("view", x);
  const Shape full = complete_shape("view", x, shape);
  const auto strides = strides_for(x, full);
  require(strides.has_value(), "view: shape ", x.shape(), " with strides ", x.strides(), " doesn't show itself as ", full,
          " without a copy; reshape makes one");
  return reshaped("view", x, view_of(x, 0, full, *strides));
}

Tensor flatten(const Tensor& x, int first, int last) {
  autograd::require_defined("flatten", x);
  if (x.rank() == 0) return reshape(x, {1});
  const int from = wrap_axis("flatten", first, x.rank()), to = wrap_axis("flatten", last, x.rank());
  require(from <= to, "flatten: axis ", first, " comes after axis ", last);
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i > from && i <= to)
      shape[shape.rank() - 1] *= x.shape()[i];
    else
      shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor permute(const Tensor& x, std::span<const int> order) {
  autograd::require_defined("permute", x);
  require(static_cast<int>(order.size()) == x.rank(), "permute: ", order.size(), " axes are given for a tensor of shape ", x.shape());
  axis_mask("permute", order, x.rank());
  Shape shape = x.shape(), strides = x.strides();
  std::vector<int> inverse(order.size());
  for (int i = 0; i < x.rank(); ++i) {
    const int axis = wrap_axis("permute", order[static_cast<size_t>(i)], x.rank());
    shape[i] = x.shape()[axis];
    strides[i] = x.strides()[axis];
    inverse[static_cast<size_t>(axis)] = i;
  }
  const auto back = [](const Tensor& g, const std::vector<int>& axes) { return permute(g, axes); };
  return record("permute")(view_of(x, 0, shape, strides), wrt(x, back, inverse));
}

Tensor permute(const Tensor& x, std::initializer_list<int> order) { return permute(x, std::span(order.begin(), order.size())); }

Tensor transpose(const Tensor& x, int a, int b) {
  const int first = checked_axis("transpose", x, a), second = checked_axis("transpose", x, b);
  Shape shape = x.shape(), strides = x.strides();
  std::swap(shape[first], shape[second]);
  std::swap(strides[first], strides[second]);
  return record("transpose")(view_of(x, 0, shape, strides), wrt(x, transpose, first, second));
}

Tensor unsqueeze(const Tensor& x, int axis) {
  autograd::require_defined("unsqueeze", x);
  const int at = wrap_axis("unsqueeze", axis, x.rank() + 1);
  require(x.rank() < Shape::max_rank, "unsqueeze: shape ", x.shape(), " has ", Shape::max_rank, " axes already, and can't have more");
  Shape shape = x.shape(), strides = x.strides();
  const int64_t step = at < x.rank() ? shape[at] * strides[at] : 1;
  shape.insert(at, 1);
  strides.insert(at, step);
  return record("unsqueeze")(view_of(x, 0, shape, strides), wrt(x, squeeze, at));
}

Tensor squeeze(const Tensor& x, int axis) {
  const int at = checked_axis("squeeze", x, axis);
  require(x.shape()[at] == 1, "squeeze: axis ", axis, " of shape ", x.shape(), " doesn't have size 1");
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(at);
  strides.erase(at);
  return record("squeeze")(view_of(x, 0, shape, strides), wrt(x, unsqueeze, at));
}

Tensor expand(const Tensor& x, const Shape& shape) {
  autograd::require_defined("expand", x);
  if (x.shape() == shape) return x;
  bool possible = broadcast_shapes("expand", x.shape(), shape) == shape, empty = false;
  int64_t count = 1;
  for (int64_t size : shape) empty |= size == 0;
  for (int64_t size : shape) possible &= size >= 0 && (empty || !__builtin_mul_overflow(count, size, &count));
  require(possible, "expand: shape ", x.shape(), " does not broadcast to ", shape,
          count > 0 ? "" : ", which has more elements than 64 bits can count");
  Shape strides = Shape::filled(shape.rank(), 0);
  const int lead = shape.rank() - x.rank();
  for (int i = 0; i < x.rank(); ++i) strides[lead + i] = x.shape()[i] == 1 ? 0 : x.strides()[i];
  return record("expand")(view_of(x, 0, shape, strides), wrt(x, [](const Tensor& g) { return g; }));
}

Tensor slice(const Tensor& x, int axis, int64_t start, int64_t stop, int64_t step) {
  const int at = checked_axis("slice", x, axis);
  const Run run = run_of("slice", {start, stop, step}, x.shape()[at]);
  return autograd::record_view("slice", x, Region::whole(x.shape()).take(at, run.from, run.count, run.step));
}

Tensor narrow(const Tensor& x, int axis, int64_t start, int64_t length) {
  const int at = checked_axis("narrow", x, axis);
  const int64_t size = x.shape()[at];
  require(start >= 0 && length >= 0 && start <= size && length <= size - start, "narrow: ", length, " elements from ", start, " leave axis ", axis,
          " of shape ", x.shape());
  return autograd::record_view("narrow", x, Region::whole(x.shape()).take(at, start, length));
}

Tensor select(const Tensor& x, int axis, int64_t index) {
  const int at = checked_axis("select", x, axis);
  const int64_t position = wrap_position("select", index, at, x.shape());
  return autograd::record_view("select", x, Region::whole(x.shape()).take(at, position, 1).drop(at));
}

Tensor Tensor::at(std::span<const Index> indices) const { return autograd::record_view("at", *this, region_of("at", indices, shape())); }

Tensor diagonal(const Tensor& x, int64_t offset, int first, int second) {
  const int row = checked_axis("diagonal", x, first), column = checked_axis("diagonal", x, second);
  require(row != column, "diagonal: axis ", first, " and axis ", second, " of shape ", x.shape(), " are the same");
  const int64_t rows = x.shape()[row], columns = x.shape()[column];
  const int64_t down = offset < 0 ? std::min(rows, offset < -rows ? rows : -offset) : 0, right = std::clamp<int64_t>(offset, 0, columns);
  const int64_t count = std::min(rows - down, columns - right);
  Region region = Region::whole(x.shape()).drop(std::max(row, column)).drop(std::min(row, column));
  region.start[row] = count ? down : 0;
  region.start[column] = count ? right : 0;
  region.to[static_cast<size_t>(row)] = region.to[static_cast<size_t>(column)] = static_cast<int8_t>(region.shape.rank());
  region.shape.push_back(count);
  return autograd::record_view("diagonal", x, region);
}

Tensor movedim(const Tensor& x, int from, int to) {
  const int source = checked_axis("movedim", x, from), target = wrap_axis("movedim", to, x.rank());
  std::array<int, Shape::max_rank> order{};
  for (int i = 0, next = 0; i < x.rank(); ++i) {
    if (next == source) ++next;
    order[static_cast<size_t>(i)] = i == target ? source : next++;
  }
  return permute(x, std::span(order.data(), static_cast<size_t>(x.rank())));
}

std::vector<Tensor> split(const Tensor& x, std::span<const int64_t> sizes, int axis) {
  const int at = checked_axis("split", x, axis);
  int64_t total = 0;
  bool fits = true;
  for (int64_t size : sizes) fits = fits && size >= 0 && !__builtin_add_overflow(total, size, &total);
  require(fits && total == x.shape()[at], "split: the sizes don't add up to the ", x.shape()[at], " elements of axis ", axis, " of shape ",
          x.shape());
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (int64_t size : sizes) {
    parts.push_back(narrow(x, at, start, size));
    start += size;
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& x, std::initializer_list<int64_t> sizes, int axis) {
  return split(x, std::span(sizes.begin(), sizes.size()), axis);
}

std::vector<Tensor> split(const Tensor& x, int64_t size, int axis) {
  const int64_t all = x.shape()[checked_axis("split", x, axis)];
  require(size > 0, "split: parts of ", size, " elements of shape ", x.shape(), "; expected at least 1");
  std::vector<int64_t> sizes;
  for (int64_t rest = all; rest > 0 || sizes.empty(); rest -= size) sizes.push_back(std::min(rest, size));
  return split(x, sizes, axis);
}

std::vector<Tensor> chunk(const Tensor& x, int64_t count, int axis) {
  const int64_t all = x.shape()[checked_axis("chunk", x, axis)];
  require(count > 0, "chunk: ", count, " parts of shape ", x.shape(), "; expected at least 1");
  return split(x, std::max<int64_t>(1, all ? (all - 1) / count + 1 : 0), axis);
}

std::vector<Tensor> unbind(const Tensor& x, int axis) {
  const int at = checked_axis("unbind", x, axis);
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < x.shape()[at]; ++i) parts.push_back(select(x, at, i));
  return parts;
}

Tensor contiguous(const Tensor& x) {
  autograd::require_defined("contiguous", x);
  if (x.is_contiguous()) return x;
  return record("contiguous")(kernels::contiguous(x), wrt(x, [](const Tensor& g) { return g; }));
}

Tensor clone(const Tensor& x) {
  autograd::require_defined("clone", x);
  return record("clone")(kernels::clone(x), wrt(x, [](const Tensor& g) { return g; }));
}

}  // namespace scry
