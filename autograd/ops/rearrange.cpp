#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/room.hpp>

namespace scry {
namespace {

using autograd::Gradients;
using autograd::record;
using autograd::wrt;

template <class T>
std::span<const T> span_of(std::initializer_list<T> list) {
  return {list.begin(), list.size()};
}

// The tensors in the type in which all of them can be told.
std::vector<Tensor> in_common_type(const char* op, std::span<const Tensor> parts) {
  require(!parts.empty(), op, ": expected at least one tensor");
  DType dtype = boolean;
  for (const Tensor& part : parts) {
    autograd::require_defined(op, part);
    dtype = promote(dtype, part.dtype());
  }
  std::vector<Tensor> out;
  for (const Tensor& part : parts) out.push_back(cast(part, dtype));
  return out;
}

// A new tensor that lies in x's order of axes.
Tensor empty_like_in(const Tensor& x, const Shape& shape) { return Tensor::empty_strided(shape, kernels::strides_like(x, shape), x.dtype()); }

// x `count` times along an axis.
Tensor repeated(const Tensor& x, int axis, int64_t count) {
  if (count == 1) return x;
  Shape shape = x.shape();
  int64_t lead = 1, rest = 1;
  for (int i = 0; i < shape.rank(); ++i) (i < axis ? lead : rest) *= shape[i];
  shape[axis] *= count;
  return reshape(expand(reshape(x, {lead, 1, rest}), {lead, count, rest}), shape);
}

Tensor rolled(const Tensor& x, int64_t shift, int axis) {
  const autograd::Recorder recorder = autograd::record("roll");
  const int64_t size = x.shape()[axis], by = size ? (shift % size + size) % size : 0;
  Tensor out = empty_like_in(x, x.shape());
  const auto part = [&](const Tensor& of, int64_t start, int64_t count) { return Region::whole(x.shape()).take(axis, start, count).of(of); };
  kernels::copy_into(part(out, by, size - by), part(x, 0, size - by));
  kernels::copy_into(part(out, 0, by), part(x, size - by, by));
  return recorder(out, wrt(x, rolled, -by, axis));
}

}  // namespace

Tensor cat(std::span<const Tensor> list, int axis) {
  const autograd::Recorder recorder = autograd::record("cat");
  const std::vector<Tensor> parts = in_common_type("cat", list);
  Shape shape = parts[0].shape();
  const int at = wrap_axis("cat", axis, shape.rank());
  for (const Tensor& part : std::span(parts).subspan(1)) {
    Shape expected = shape;
    if (part.rank() == shape.rank()) expected[at] = part.shape()[at];
    require(part.shape() == expected, "cat: shapes ", parts[0].shape(), " and ", part.shape(), " differ in more than axis ", axis);
    require(!__builtin_add_overflow(shape[at], part.shape()[at], &shape[at]), "cat: axis ", axis, " of shape ", part.shape(), " gets too long");
  }
  Tensor out = empty_like_in(parts[0], shape);
  std::vector<int64_t> sizes;
  for (int64_t start = 0; const Tensor& part : parts) {
    sizes.push_back(part.shape()[at]);
    kernels::copy_into(Region::whole(shape).take(at, start, sizes.back()).of(out), part);
    start += sizes.back();
  }
  const auto rule = [](const Tensor& g, Gradients& gradients, int along, const std::vector<int64_t>& lengths) {
    int64_t start = 0;
    for (size_t i = 0; i < lengths.size(); start += lengths[i++])
      if (gradients.wanted(i)) gradients.add(i, narrow(g, along, start, lengths[i]));
  };
  return recorder.many(out, parts, rule, at, sizes);
}

Tensor cat(std::initializer_list<Tensor> parts, int axis) { return cat(span_of(parts), axis); }

Tensor stack(std::span<const Tensor> list, int axis) {
  const autograd::Recorder recorder = autograd::record("stack");
  const std::vector<Tensor> parts = in_common_type("stack", list);
  const Shape& each = parts[0].shape();
  const int at = wrap_axis("stack", axis, each.rank() + 1);
  for (const Tensor& part : parts) require(part.shape() == each, "stack: shapes ", each, " and ", part.shape(), " differ");
  Shape shape = each;
  shape.insert(at, static_cast<int64_t>(parts.size()));
  Tensor out = Tensor::empty(shape, parts[0].dtype());
  for (int64_t i = 0; const Tensor& part : parts) kernels::copy_into(Region::whole(shape).take(at, i++, 1).drop(at).of(out), part);
  const auto rule = [](const Tensor& g, Gradients& gradients, int along) {
    for (int64_t i = 0; i < g.shape()[along]; ++i)
      if (gradients.wanted(static_cast<size_t>(i))) gradients.add(static_cast<size_t>(i), select(g, along, i));
  };
  return recorder.many(out, parts, rule, at);
}

Tensor stack(std::initializer_list<Tensor> parts, int axis) { return stack(span_of(parts), axis); }

namespace {

Tensor repeated_by(const char* op, const Tensor& x, const Shape& times) {
  require(times.rank() >= x.rank(), op, ": ", times.rank(), " counts for a tensor of shape ", x.shape(), "; each axis needs one");
  Shape shape = x.shape();
  while (shape.rank() < times.rank()) shape.insert(0, 1);
  int64_t total = x.numel();
  Shape all = shape;
  for (int i = 0; i < times.rank(); ++i) {
    require(times[i] >= 0 && !__builtin_mul_overflow(total, times[i], &total), op, ": ", times, " times shape ", x.shape(),
            times[i] < 0 ? " goes below nothing" : " has too many elements");
    all[i] = total ? all[i] * times[i] : 0;
  }
  require_room(op, all, x.dtype());
  Tensor y = reshape(x, shape);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) y = repeated(y, axis, times[axis]);
  return y;
}

Shape counts_of(const char* op, const Tensor& x, std::span<const int64_t> counts) {
  autograd::require_defined(op, x);
  require(counts.size() <= Shape::max_rank, op, ": ", counts.size(), " counts for a tensor of shape ", x.shape(), "; there are ", Shape::max_rank,
          " axes at most");
  return Shape(counts);
}

}  // namespace

Tensor repeat(const Tensor& x, std::span<const int64_t> counts) { return repeated_by("repeat", x, counts_of("repeat", x, counts)); }

Tensor repeat(const Tensor& x, std::initializer_list<int64_t> counts) { return repeat(x, span_of(counts)); }

Tensor tile(const Tensor& x, std::span<const int64_t> counts) {
  Shape times = counts_of("tile", x, counts);
  while (times.rank() < x.rank()) times.insert(0, 1);
  return repeated_by("tile", x, times);
}

Tensor tile(const Tensor& x, std::initializer_list<int64_t> counts) { return tile(x, span_of(counts)); }

Tensor repeat_interleave(const Tensor& x, int64_t count, int axis) {
  const int at = autograd::checked_axis("repeat_interleave", x, axis);
  require(count >= 0, "repeat_interleave: ", count, " times shape ", x.shape(), "; expected at least 0");
  Shape shape = x.shape();
  int64_t lead = 1, rest = 1;
  for (int i = 0; i < shape.rank(); ++i) (i <= at ? lead : rest) *= shape[i];
  require(!__builtin_mul_overflow(shape[at], count, &shape[at]), "repeat_interleave: ", count, " times shape ", x.shape(), " is too large");
  require_room("repeat_interleave", shape, x.dtype());
  return reshape(expand(reshape(x, {lead, 1, rest}), {lead, count, rest}), shape);
}

Tensor flip(const Tensor& x, std::span<const int> axes) {
  autograd::require_defined("flip", x);
  const uint32_t mask = axis_mask("flip", axes, x.rank());
  Region reversed = Region::whole(x.shape());
  for (int i = 0; i < x.rank(); ++i)
    if (mask >> i & 1) reversed.take(i, x.shape()[i] - 1, x.shape()[i], -1);
  Tensor out = empty_like_in(x, x.shape());
  kernels::copy_into(out, reversed.of(x));
  const auto back = [](const Tensor& g, const std::vector<int>& along) { return flip(g, along); };
  return record("flip")(out, wrt(x, back, std::vector<int>(axes.begin(), axes.end())));
}

Tensor flip(const Tensor& x, std::initializer_list<int> axes) { return flip(x, span_of(axes)); }

Tensor roll(const Tensor& x, std::span<const int64_t> shifts, std::span<const int> axes) {
  autograd::require_defined("roll", x);
  if (axes.empty() && shifts.size() == 1) return reshape(rolled(flatten(x), shifts[0], 0), x.shape());
  require(shifts.size() == axes.size(), "roll: ", shifts.size(), " shifts along ", axes.size(), " axes of shape ", x.shape());
  Tensor y = x;
  for (size_t i = 0; i < axes.size(); ++i) y = rolled(y, shifts[i], wrap_axis("roll", axes[i], x.rank()));
  return y;
}

Tensor roll(const Tensor& x, std::initializer_list<int64_t> shifts, std::initializer_list<int> axes) {
  return roll(x, span_of(shifts), span_of(axes));
}

Tensor roll(const Tensor& x, int64_t shift) { return roll(x, {shift}, {}); }

}  // namespace scry
