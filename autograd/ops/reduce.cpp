#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/scan.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/kernels/reduce_parts.hpp>

namespace scry {

using autograd::output;
using autograd::record;
using autograd::require_defined;
using autograd::wrt;

namespace {

// The gradient of a reduction, or its result, along the axes that it lost.
Tensor spread_over_axes(const Tensor& g, const Shape& shape, const Shape& kept) {
  if (g.requires_grad()) return expand(reshape(g, kept), shape);
  Shape strides = Shape::filled(shape.rank(), 0);  // the same view in one step
  for (int i = 0, from = 0; i < shape.rank(); ++i) {
    if (kept[i] == 1) continue;
    while (g.shape()[from] == 1) ++from;
    strides[i] = g.strides()[from++];
  }
  return Tensor::view(g.node().storage, g.node().offset, shape, strides, g.dtype());
}

Shape kept_shape(const Tensor& x, uint32_t mask) { return kernels::reduced_shape(x.shape(), mask, true); }

uint32_t mask_of(std::string_view op, const Tensor& x, const AxesArgument& axes) {
  require_defined(op, x);
  return axis_mask(op, axes.list(), x.rank());
}

}  // namespace

Tensor sum(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  const uint32_t mask = mask_of("sum", x, axes);
  return record("sum")(kernels::sum(x, mask, keepdim), wrt(x, spread_over_axes, x.shape(), kept_shape(x, mask)));
}

Tensor mean(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  autograd::require_floating("mean", x);
  mask_of("mean", x, axes);
  const Tensor total = sum(x, axes, keepdim);
  const int64_t count = total.numel() ? x.numel() / total.numel() : 0;
  return total / static_cast<double>(count);
}

namespace {

// Zero elements leave nothing to divide by, so the products of those before and after each element are multiplied.
Tensor prod_rule(const Tensor& g, const Tensor& x, uint32_t mask) {
  std::vector<int> order, back(static_cast<size_t>(x.rank()));
  Shape flat;
  int64_t count = 1;
  for (uint32_t reduced : {0u, 1u}) {
    for (int axis = 0; axis < x.rank(); ++axis) {
      if ((mask >> axis & 1) != reduced) continue;
      back[static_cast<size_t>(axis)] = static_cast<int>(order.size());
      order.push_back(axis);
      if (reduced) count *= x.shape()[axis];
    }
  }
  const Tensor ordered = permute(x, order);
  flat = kernels::reduced_shape(x.shape(), mask, false);
  const Tensor gs = reshape(g, flat);
  flat.push_back(count);
  const Tensor lines = reshape(ordered, flat);
  const Tensor others = products_before(lines, -1, false) * products_before(lines, -1, true);
  return permute(reshape(unsqueeze(gs, -1) * others, ordered.shape()), back);
}

}  // namespace

Tensor prod(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  const uint32_t mask = mask_of("prod", x, axes);
  return record("prod")(kernels::prod(x, mask, keepdim), wrt(x, prod_rule, x, mask));
}

namespace {

using Kernel = Tensor (*)(const Tensor& x, uint32_t mask, bool keepdim);

Tensor extreme(const char* op, const Tensor& x, const AxesArgument& axes, bool keepdim, Kernel kernel) {
  const uint32_t mask = mask_of(op, x, axes);
  for (int axis = 0; axis < x.rank(); ++axis)
    require(!(mask >> axis & 1) || x.shape()[axis] > 0, op, ": axis ", axis, " of shape ", x.shape(), " is empty");
  const auto share = [](const Tensor& g, const Tensor& in, const Tensor& y, const Shape& kept, uint32_t reduced) {
    const Tensor equal = kernels::equal(in, reshape(y.detach(), kept));
    return reshape(g, kept) * kernels::div(equal, kernels::sum(equal, reduced, true));
  };
  return record(op)(kernel(x, mask, keepdim), wrt(x, share, x, output, kept_shape(x, mask), mask));
}

ValuesAndIndices extreme_along(const char* op, const Tensor& x, int axis, bool keepdim, bool largest) {
  const autograd::Recorder recorder = autograd::record(op);
  require_defined(op, x);
  const int at = wrap_axis(op, axis, x.rank());
  require(x.shape()[at] > 0, op, ": axis ", axis, " of shape ", x.shape(), " is empty");
  const auto [values, indices] = kernels::extremes_along(x, at, largest);
  const auto place = [](const Tensor& g, const Tensor& where, int along, int64_t size) {
    Shape shape = g.shape();
    shape.insert(along, size);
    return scatter_add(zeros(shape, g.dtype()), unsqueeze(where, along), unsqueeze(g, along), along);
  };
  const Tensor y = recorder(values, wrt(x, place, indices, at, x.shape()[at]));
  return keepdim ? ValuesAndIndices{unsqueeze(y, at), unsqueeze(indices, at)} : ValuesAndIndices{y, indices};
}

}  // namespace

Tensor amax(const Tensor& x, const AxesArgument& axes, bool keepdim) { return extreme("amax", x, axes, keepdim, kernels::amax); }
Tensor amin(const Tensor& x, const AxesArgument& axes, bool keepdim) { return extreme("amin", x, axes, keepdim, kernels::amin); }
Tensor max(const Tensor& x) { return extreme("max", x, {}, false, kernels::amax); }
Tensor min(const Tensor& x) { return extreme("min", x, {}, false, kernels::amin); }
ValuesAndIndices max(const Tensor& x, int axis, bool keepdim) { return extreme_along("max", x, axis, keepdim, true); }
ValuesAndIndices min(const Tensor& x, int axis, bool keepdim) { return extreme_along("min", x, axis, keepdim, false); }

Tensor argmax(const Tensor& x, int axis, bool keepdim) { return extreme_along("argmax", x, axis, keepdim, true).indices; }
Tensor argmin(const Tensor& x, int axis, bool keepdim) { return extreme_along("argmin", x, axis, keepdim, false).indices; }
Tensor argmax(const Tensor& x) {
  require_defined("argmax", x);
  return argmax(flatten(x), 0);
}
Tensor argmin(const Tensor& x) {
  require_defined("argmin", x);
  return argmin(flatten(x), 0);
}

Tensor all(const Tensor& x, const AxesArgument& axes, bool keepdim) { return kernels::all(x, mask_of("all", x, axes), keepdim); }
Tensor any(const Tensor& x, const AxesArgument& axes, bool keepdim) { return kernels::any(x, mask_of("any", x, axes), keepdim); }
Tensor count_nonzero(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  return kernels::count_nonzero(x, mask_of("count_nonzero", x, axes), keepdim);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  require_defined("sum_to", x);
  if (x.shape() == shape) return x;
  require(broadcast_shapes("sum_to", x.shape(), shape) == x.shape(), "sum_to: shape ", shape, " does not broadcast to ", x.shape());
  return record("sum_to")(kernels::sum_to(x, shape), wrt(
                                                         x, [](const Tensor& g, const Shape& from) { return expand(g, from); }, x.shape()));
}

}  // namespace scry
