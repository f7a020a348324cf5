#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/scan.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/scan.hpp>

namespace scry {

using autograd::Gradients;
using autograd::output;
using autograd::record;
using autograd::wrt;

namespace {

// Every element one place later along the axis, or one earlier; `fill` takes the free place.
Tensor shift(const Tensor& x, int axis, bool later, double fill = 0) {
  const autograd::Recorder recorder = autograd::record("shift");
  const Tensor out = full(x.shape(), fill, x.dtype());
  const int64_t size = x.shape()[axis];
  if (size > 1) {
    const NoGrad guard;
    kernels::copy_into(narrow(out, axis, later ? 1 : 0, size - 1), narrow(x, axis, later ? 0 : 1, size - 1));
  }
  return recorder(out, wrt(
                           x, [](const Tensor& g, int along, bool was_later) { return shift(g, along, !was_later); }, axis, later));
}

// y[k] = a[k] y[k - 1] + b[k], y[-1] = 0; from the back in `reverse`. The gradient of b is such a recurrence in the other direction.
Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse) {
  const auto rule = [](const Tensor& g, Gradients& gradients, const Tensor& factors, const Tensor& y, int along, bool backwards) {
    const Tensor s = recurrence(shift(factors, along, backwards), g, along, !backwards);
    if (gradients.wanted(0)) gradients.add(0, s * shift(y, along, !backwards));
    if (gradients.wanted(1)) gradients.add(1, s);
  };
  return autograd::record("recurrence").joint(kernels::recurrence(a, b, axis, reverse), {a, b}, rule, a, output, axis, reverse);
}

Tensor running_sum(const Tensor& x, int axis, bool reverse) {
  return record("cumsum")(kernels::cumsum(x, axis, reverse),
                          wrt(
                              x, [](const Tensor& g, int along, bool backwards) { return running_sum(g, along, !backwards); }, axis, reverse));
}

Tensor running_product(const Tensor& x, int axis, bool reverse) {
  const auto rule = [](const Tensor& g, const Tensor& in, const Tensor& y, int along, bool backwards) {
    return shift(y, along, !backwards, 1) * recurrence(shift(in, along, backwards), g, along, !backwards);
  };
  return record("cumprod")(kernels::cumprod(x, axis, reverse), wrt(x, rule, x, output, axis, reverse));
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis) {
  autograd::require_defined("cumsum", x);
  return running_sum(x, wrap_axis("cumsum", axis, x.rank()), false);
}

Tensor cumprod(const Tensor& x, int axis) {
  autograd::require_defined("cumprod", x);
  return running_product(x, wrap_axis("cumprod", axis, x.rank()), false);
}

Tensor products_before(const Tensor& x, int axis, bool reverse) {
  autograd::require_floating("products_before", x);
  const int at = wrap_axis("products_before", axis, x.rank());
  return shift(running_product(x, at, reverse), at, !reverse, 1);
}

}  // namespace scry
