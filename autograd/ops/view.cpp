#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <algorithm>

namespace scry {

using autograd::record;
using autograd::wrt;

namespace {

Tensor view_of(const Tensor& x, int64_t offset, const Shape& shape, const Shape& strides) {
  return Tensor::view(x.node().storage, x.node().offset + offset, shape, strides, x.dtype());
}

// The shape with its -1 filled in.
Shape complete_shape(const Tensor& x, const Shape& shape) {
  Shape out = shape;
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1) {
      require(unknown < 0, "reshape: only one size of ", shape, " may be -1");
      unknown = i;
    } else {
      require(shape[i] >= 0, "reshape: size ", shape[i], " in ", shape, "; sizes are at least 0, or -1 for one to be worked out");
      require(!__builtin_mul_overflow(known, shape[i], &known), "reshape: shape ", shape, " has too many elements");
    }
  }
  if (unknown >= 0) {
    require(known > 0 && x.numel() % known == 0, "reshape: ", x.numel(), " elements of shape ", x.shape(), " don't fill ", shape);
    out[unknown] = x.numel() / known;
  }
  require(element_count(out) == x.numel(), "reshape: shape ", x.shape(), " has ", x.numel(), " elements, ", shape, " has ", element_count(out));
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

// x laid into zeros of `shape` at the places that slice(…, axis, start, step) looks at: the reverse of slice.
Tensor unslice(const Tensor& x, const Shape& shape, int axis, int64_t start, int64_t step) {
  Tensor out = zeros(shape, x.dtype());
  Shape strides = out.strides();
  const int64_t offset = start * strides[axis];
  strides[axis] *= step;
  kernels::copy_into(view_of(out, offset, x.shape(), strides), x);
  const auto take = [](const Tensor& g, int along, int64_t from, int64_t by, int64_t count) {
    Shape sizes = g.shape(), steps = g.strides();
    sizes[along] = count;
    const int64_t first = from * steps[along];
    steps[along] *= by;
    return record("slice", view_of(g, first, sizes, steps),
                  wrt(
                      g, [](const Tensor& gg, const Shape& whole, int a, int64_t f, int64_t b) { return unslice(gg, whole, a, f, b); }, g.shape(),
                      along, from, by));
  };
  return record("unslice", out, wrt(x, take, axis, start, step, x.shape()[axis]));
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  autograd::require_defined("reshape", x);
  const Shape full = complete_shape(x, shape);
  if (full == x.shape()) return x;
  const auto strides = strides_for(x, full);
  const Tensor y = strides ? view_of(x, 0, full, *strides) : [&] {
    const Tensor dense = kernels::contiguous(x);
    return view_of(dense, 0, full, row_major_strides(full));
  }();
  return record("reshape", y,
                wrt(
                    x, [](const Tensor& g, const Shape& from) { return reshape(g, from); }, x.shape()));
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
  return record("permute", view_of(x, 0, shape, strides),
                wrt(
                    x, [](const Tensor& g, const std::vector<int>& back) { return permute(g, back); }, inverse));
}

Tensor permute(const Tensor& x, std::initializer_list<int> order) { return permute(x, std::span(order.begin(), order.size())); }

Tensor transpose(const Tensor& x, int a, int b) {
  autograd::require_defined("transpose", x);
  const int first = wrap_axis("transpose", a, x.rank()), second = wrap_axis("transpose", b, x.rank());
  Shape shape = x.shape(), strides = x.strides();
  std::swap(shape[first], shape[second]);
  std::swap(strides[first], strides[second]);
  return record("transpose", view_of(x, 0, shape, strides),
                wrt(
                    x, [](const Tensor& g, int p, int q) { return transpose(g, p, q); }, first, second));
}

Tensor unsqueeze(const Tensor& x, int axis) {
  autograd::require_defined("unsqueeze", x);
  const int at = wrap_axis("unsqueeze", axis, x.rank() + 1);
  Shape shape = x.shape(), strides = x.strides();
  const int64_t step = at < x.rank() ? shape[at] * strides[at] : 1;
  shape.insert(at, 1);
  strides.insert(at, step);
  return record("unsqueeze", view_of(x, 0, shape, strides),
                wrt(
                    x, [](const Tensor& g, int a) { return squeeze(g, a); }, at));
}

Tensor squeeze(const Tensor& x, int axis) {
  autograd::require_defined("squeeze", x);
  const int at = wrap_axis("squeeze", axis, x.rank());
  require(x.shape()[at] == 1, "squeeze: axis ", axis, " of shape ", x.shape(), " doesn't have size 1");
  Shape shape = x.shape(), strides = x.strides();
  shape.erase(at);
  strides.erase(at);
  return record("squeeze", view_of(x, 0, shape, strides),
                wrt(
                    x, [](const Tensor& g, int a) { return unsqueeze(g, a); }, at));
}

Tensor expand(const Tensor& x, const Shape& shape) {
  autograd::require_defined("expand", x);
  if (x.shape() == shape) return x;
  require(broadcast_shapes("expand", x.shape(), shape) == shape, "expand: shape ", x.shape(), " does not broadcast to ", shape);
  Shape strides = Shape::filled(shape.rank(), 0);
  const int lead = shape.rank() - x.rank();
  for (int i = 0; i < x.rank(); ++i) strides[lead + i] = x.shape()[i] == 1 ? 0 : x.strides()[i];
  return record("expand", view_of(x, 0, shape, strides), wrt(x, [](const Tensor& g) { return g; }));
}

Tensor slice(const Tensor& x, int axis, int64_t start, int64_t stop, int64_t step) {
  autograd::require_defined("slice", x);
  const int at = wrap_axis("slice", axis, x.rank());
  require(step != 0, "slice: a step of 0 goes nowhere");
  step = std::max(step, -to_end);  // the one number without an opposite
  const int64_t size = x.shape()[at], lowest = step > 0 ? 0 : -1, highest = step > 0 ? size : size - 1;
  const auto place = [&](int64_t position) { return std::clamp(position < 0 ? std::max(position, -size - 1) + size : position, lowest, highest); };
  const int64_t from = place(start), to = stop == to_end ? (step > 0 ? size : -1) : place(stop);
  const int64_t span = step > 0 ? to - from : from - to, by = std::abs(step);
  const int64_t count = span > 0 ? (span - 1) / by + 1 : 0;
  Shape shape = x.shape(), strides = x.strides();
  shape[at] = count;
  const int64_t offset = count ? from * strides[at] : 0;
  strides[at] *= count > 1 ? step : 1;
  const auto back = [](const Tensor& g, const Shape& whole, int a, int64_t f, int64_t b) { return unslice(g, whole, a, f, b); };
  return record("slice", view_of(x, offset, shape, strides), wrt(x, back, x.shape(), at, count ? from : int64_t{0}, count > 1 ? step : int64_t{1}));
}

Tensor narrow(const Tensor& x, int axis, int64_t start, int64_t length) {
  autograd::require_defined("narrow", x);
  const int at = wrap_axis("narrow", axis, x.rank());
  const int64_t size = x.shape()[at];
  require(start >= 0 && length >= 0 && start <= size && length <= size - start, "narrow: ", length, " elements from ", start, " leave axis ", axis,
          " of shape ", x.shape());
  return slice(x, at, start, start + length);
}

Tensor select(const Tensor& x, int axis, int64_t index) {
  autograd::require_defined("select", x);
  const int at = wrap_axis("select", axis, x.rank());
  const int64_t size = x.shape()[at], from = index < 0 ? index + size : index;
  require(from >= 0 && from < size, "select: index ", index, " is out of range for axis ", axis, " of shape ", x.shape());
  return squeeze(slice(x, at, from, from + 1), at);
}

Tensor contiguous(const Tensor& x) {
  autograd::require_defined("contiguous", x);
  if (x.is_contiguous()) return x;
  return record("contiguous", kernels::contiguous(x), wrt(x, [](const Tensor& g) { return g; }));
}

Tensor clone(const Tensor& x) {
  autograd::require_defined("clone", x);
  return record("clone", kernels::clone(x), wrt(x, [](const Tensor& g) { return g; }));
}

}  // namespace scry
