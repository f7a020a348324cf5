#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/indexing.hpp>
#include <scry/core/room.hpp>

namespace scry {
namespace {

using autograd::Gradients;
using autograd::record;
using autograd::wrt;
using kernels::checked_index;

// Below, indices are checked and not negative.

Tensor scattered_sum(const Tensor& x, const Tensor& index, const Tensor& values, int axis);

Tensor gathered(const char* op, const Tensor& x, const Tensor& index, int axis) {
  const auto back = [](const Tensor& g, Gradients& gradients, const Tensor& at, int along, const Shape& shape) {
    if (grad_enabled()) return gradients.add(0, scattered_sum(zeros(shape, g.dtype()), at, g, along));
    const Tensor sum = gradients.place(0);
    kernels::fill(sum, 0);
    kernels::scatter_add_into(sum, along, at, g);
    gradients.add(0, sum);
  };
  return record(op).joint(kernels::gather(x, axis, index), {x}, back, index, axis, x.shape());
}

Tensor scattered_sum(const Tensor& x, const Tensor& index, const Tensor& values, int axis) {
  const Tensor out = kernels::contiguous(kernels::clone(x));
  kernels::scatter_add_into(out, axis, index, values);
  const auto to_values = [](const Tensor& g, const Tensor& at, int along) { return gathered("gather", g, at, along); };
  return record("scatter_add")(out, wrt(x, [](const Tensor& g) { return g; }), wrt(values, to_values, index, axis));
}

// Which values stay in a scatter: those that the others haven't overwritten.
Tensor overwritten(const Tensor& index, int axis, const Shape& shape) {
  const Tensor numbers = reshape(arange(index.numel()), index.shape());
  const Tensor last = Tensor::empty(shape, i64);
  kernels::scatter_into(last, axis, index, numbers);
  return ne(kernels::gather(last, axis, index), numbers);
}

Tensor scattered(const Tensor& x, const Tensor& index, const Tensor& values, int axis) {
  const autograd::Recorder recorder = autograd::record("scatter");
  const Tensor out = kernels::contiguous(kernels::clone(x));
  kernels::scatter_into(out, axis, index, values);
  const auto to_x = [](const Tensor& g, const Tensor& at, int along) { return scattered(g, at, zeros(at.shape(), g.dtype()), along); };
  const auto to_values = [](const Tensor& g, const Tensor& at, int along) {
    return masked_fill(gathered("gather", g, at, along), overwritten(at, along, g.shape()), 0);
  };
  return recorder(out, wrt(x, to_x, index, axis), wrt(values, to_values, index, axis));
}

// The index, checked against the axis and the sizes of x; the axis is wrapped.
Tensor index_into(const char* op, const Tensor& x, const Tensor& index, int& axis) {
  autograd::require_defined(op, x);
  autograd::require_defined(op, index);
  axis = wrap_axis(op, axis, x.rank());
  bool fits = index.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == axis || index.shape()[i] <= x.shape()[i];
  require(fits, op, ": an index of shape ", index.shape(), " doesn't fit shape ", x.shape(), "; its sizes other than along axis ", axis,
          " can be at most those");
  return checked_index(op, index, x.shape(), axis);
}

// The part of the values that the index speaks of.
Tensor part_like(const char* op, const Tensor& x, const Tensor& values, const Tensor& index) {
  autograd::require_defined(op, values);
  autograd::require_same_dtype(op, x, values);
  bool fits = values.rank() == index.rank();
  Region region = Region::whole(values.shape());
  for (int i = 0; fits && i < index.rank(); ++i) {
    fits = index.shape()[i] <= values.shape()[i];
    region.take(i, 0, index.shape()[i]);
  }
  require(fits, op, ": an index of shape ", index.shape(), " is larger than the values of shape ", values.shape());
  return values.shape() == index.shape() ? values : autograd::record_view("slice", values, region);
}

// A list of slices as an index for each of their elements.
Tensor spread(const char* op, const Tensor& x, const Tensor& index, int& axis) {
  autograd::require_defined(op, x);
  autograd::require_rank(op, "the index", index, 1);
  axis = wrap_axis(op, axis, x.rank());
  Shape line = Shape::filled(x.rank(), 1), shape = x.shape();
  line[axis] = shape[axis] = index.numel();
  return expand(reshape(checked_index(op, index, x.shape(), axis), line), shape);
}

}  // namespace

Tensor gather(const Tensor& x, const Tensor& index, int axis) {
  const Tensor at = index_into("gather", x, index, axis);
  return gathered("gather", x, at, axis);
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, int axis) {
  autograd::require_defined("take_along_dim", x);
  autograd::require_rank("take_along_dim", "the index", index, x.rank());
  const int along = wrap_axis("take_along_dim", axis, x.rank());
  const auto with = [along](const Shape& shape, int64_t size) {
    Shape out = shape;
    out[along] = size;
    return out;
  };
  const Shape common = broadcast_shapes("take_along_dim", with(x.shape(), 1), with(index.shape(), 1));
  const Tensor at = checked_index("take_along_dim", index, x.shape(), along);
  return gathered("take_along_dim", expand(x, with(common, x.shape()[along])), expand(at, with(common, index.shape()[along])), along);
}

Tensor scatter(const Tensor& x, const Tensor& index, const Tensor& values, int axis) {
  const Tensor at = index_into("scatter", x, index, axis);
  return scattered(x, at, part_like("scatter", x, values, at), axis);
}

Tensor scatter(const Tensor& x, const Tensor& index, double value, int axis) {
  const Tensor at = index_into("scatter", x, index, axis);
  return scattered(x, at, expand(full({}, value, x.dtype()), at.shape()), axis);
}

Tensor scatter_add(const Tensor& x, const Tensor& index, const Tensor& values, int axis) {
  const Tensor at = index_into("scatter_add", x, index, axis);
  require(x.dtype() != boolean, "scatter_add: bools of shape ", x.shape(), " can't be added; convert with cast(x, i64)");
  return scattered_sum(x, at, part_like("scatter_add", x, values, at), axis);
}

Tensor index_select(const Tensor& x, const Tensor& index, int axis) {
  const Tensor at = spread("index_select", x, index, axis);
  return gathered("index_select", x, at, axis);
}

Tensor index_add(const Tensor& x, const Tensor& index, const Tensor& values, int axis) {
  const Tensor at = spread("index_add", x, index, axis);
  autograd::require_defined("index_add", values);
  autograd::require_same_dtype("index_add", x, values);
  require(x.dtype() != boolean, "index_add: bools of shape ", x.shape(), " can't be added; convert with cast(x, i64)");
  require(values.shape() == at.shape(), "index_add: expected values of shape ", at.shape(), ", got ", values.shape());
  return scattered_sum(x, at, values, axis);
}

Tensor embedding(const Tensor& index, const Tensor& weight, std::optional<int64_t> padding_index) {
  const autograd::Recorder recorder = autograd::record("embedding");
  autograd::require_defined("embedding", index);
  autograd::require_rank("embedding", "the weight", weight, 2);
  const int64_t rows = weight.size(0), width = weight.size(1);
  Shape shape = index.shape();
  shape.push_back(width);
  const Tensor flat = reshape(checked_index("embedding", index, weight.shape(), 0, false), {index.numel(), 1});
  const Tensor y = gathered("embedding", weight, expand(flat, {index.numel(), width}), 0);
  if (!padding_index) return reshape(y, shape);
  require(*padding_index >= -rows && *padding_index < rows, "embedding: padding index ", *padding_index, " is out of range for a weight of shape ",
          weight.shape());
  const int64_t padding = *padding_index < 0 ? *padding_index + rows : *padding_index;
  const auto keep = [](const Tensor& g, const Tensor& padded) { return masked_fill(g, padded, 0); };
  return reshape(recorder(y.detach(), wrt(y, keep, eq(flat, arange(padding, padding + 1)))), shape);
}

Tensor one_hot(const Tensor& index, int64_t classes, DType dtype) {
  autograd::require_defined("one_hot", index);
  require(index.dtype() == i64 && (classes > 0 || (classes == -1 && index.numel() > 0)),
          "one_hot: expected an index of i64 and at least 1 class, got ", index.dtype(), " of shape ", index.shape(), " and ", classes, " classes");
  if (classes < 0) {
    classes = 0;
    for (int64_t entry : index.to_vector<int64_t>()) classes = std::max(classes, std::min(entry, INT64_MAX - 1) + 1);
    classes = std::max<int64_t>(classes, 1);
  }
  Shape shape = index.shape();
  shape.push_back(classes);
  const int last = shape.rank() - 1;
  const Tensor at = unsqueeze(checked_index("one_hot", index, shape, last, false), last), out = empty_for("one_hot", shape, dtype);
  kernels::fill(out, 0);
  kernels::scatter_into(out, last, at, expand(ones({}, dtype), at.shape()));
  return out;
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  autograd::require_defined("masked_fill", x);
  require(mask.defined() && mask.dtype() == boolean, "masked_fill: expected a mask of bools",
          mask.defined() ? text(", got ", mask.dtype(), " of shape ", mask.shape()) : "");
  broadcast_shapes("masked_fill", x.shape(), mask.shape());
  return where(mask, full({}, value, x.dtype()), x);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  autograd::require_defined("masked_select", x);
  require(mask.defined() && mask.dtype() == boolean, "masked_select: expected a mask of bools",
          mask.defined() ? text(", got ", mask.dtype(), " of shape ", mask.shape()) : "");
  const Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  return gathered("masked_select", reshape(expand(x, shape), {element_count(shape)}), kernels::nonzero_positions(expand(mask, shape)), 0);
}

Tensor nonzero(const Tensor& x) {
  autograd::require_defined("nonzero", x);
  return kernels::unravel(kernels::nonzero_positions(x), x.shape());
}

}  // namespace scry
