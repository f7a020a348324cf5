#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reduce_driver.hpp>

namespace scry {

using autograd::record;
using autograd::wrt;

Tensor sum(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  autograd::require_defined("sum", x);
  const uint32_t mask = axis_mask("sum", axes.axes, x.rank());
  const auto spread = [](const Tensor& g, const Shape& shape, const Shape& kept) { return expand(reshape(g, kept), shape); };
  return record("sum", kernels::sum(x, mask, keepdim), wrt(x, spread, x.shape(), kernels::reduced_shape(x.shape(), mask, true)));
}

Tensor mean(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  autograd::require_floating("mean", x);
  const Tensor total = sum(x, axes, keepdim);
  const int64_t count = total.numel() ? x.numel() / total.numel() : 0;
  return total / static_cast<double>(count);
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  autograd::require_defined("argmax", x);
  const int wrapped = wrap_axis("argmax", axis, x.rank());
  require(x.shape()[wrapped] > 0, "argmax: axis ", axis, " of shape ", x.shape(), " is empty");
  return kernels::argmax(x, wrapped, keepdim);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcast_shapes("sum_to", x.shape(), shape) == x.shape(), "sum_to: shape ", shape, " does not broadcast to ", x.shape());
  return record("sum_to", kernels::sum_to(x, shape),
                wrt(
                    x, [](const Tensor& g, const Shape& from) { return expand(g, from); }, x.shape()));
}

}  // namespace scry
