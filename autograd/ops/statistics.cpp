#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/kernels/reduce_parts.hpp>
#include <cmath>

namespace scry {

using autograd::output;
using autograd::record;
using autograd::wrt;

namespace {

// What the rules below need of a reduction.
struct Reduced {
  uint32_t mask;
  Shape kept;  // the result's shape with axes of size 1
  AxesArgument axes;
  double divisor = 0;
};

Reduced reduction(std::string_view op, const Tensor& x, const AxesArgument& axes, double correction = 0) {
  autograd::require_floating(op, x);
  const uint32_t mask = axis_mask(op, axes.list(), x.rank());
  double count = 1;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (mask >> axis & 1) count *= static_cast<double>(x.shape()[axis]);
  return {mask, kernels::reduced_shape(x.shape(), mask, true), axes, std::max(0.0, count - correction)};
}

// |x|^exponent, with x's sign where `odd`; see kernels::power.
Tensor power(const Tensor& x, double exponent, bool odd) {
  const auto slope = [](const Tensor& g, const Tensor& in, double q, bool sign) {
    return q == 0 ? g * zeros(g.shape(), g.dtype()) : g * (q * power(in, q - 1, !sign));
  };
  return record("power")(kernels::power(x, exponent, odd), wrt(x, slope, x, exponent, odd));
}

}  // namespace

Tensor var(const Tensor& x, const AxesArgument& axes, const VarianceOptions& options) {
  const auto rule = [](const Tensor& g, const Tensor& in, const Reduced& over) {
    return reshape(g, over.kept) * (2 / over.divisor) * (in - mean(in, over.axes, true));
  };
  const Reduced over = reduction("var", x, axes, options.correction);
  return record("var")(kernels::var(x, over.mask, options.correction, options.keepdim), wrt(x, rule, x, over));
}

Tensor std(const Tensor& x, const AxesArgument& axes, const VarianceOptions& options) {
  const auto rule = [](const Tensor& g, const Tensor& in, const Tensor& y, const Reduced& over) {
    return reshape(g * power(y, -1, false) / over.divisor, over.kept) * (in - mean(in, over.axes, true));
  };
  const Reduced over = reduction("std", x, axes, options.correction);
  // The variance is a plain tensor, so its root isn't recorded.
  return record("std")(sqrt(kernels::var(x, over.mask, options.correction, options.keepdim)), wrt(x, rule, x, output, over));
}

Tensor norm(const Tensor& x, double p, const AxesArgument& axes, bool keepdim) {
  const Reduced over = reduction("norm", x, axes);
  require(!std::isnan(p), "norm: p is NaN");
  if (std::isinf(p)) return p > 0 ? amax(power(x, 1, false), axes, keepdim) : amin(power(x, 1, false), axes, keepdim);
  const auto rule = [](const Tensor& g, const Tensor& in, const Tensor& y, double exponent, const Shape& kept) {
    if (exponent == 0) return reshape(g, kept) * zeros(in.shape(), in.dtype());
    const Tensor share = in * reshape(power(y, -1, false), kept);
    return reshape(g, kept) * (exponent == 2 ? share : power(share, exponent - 1, true));
  };
  return record("norm")(kernels::norm(x, p, over.mask, keepdim), wrt(x, rule, x, output, p, over.kept));
}

Tensor logsumexp(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  const auto rule = [](const Tensor& g, const Tensor& in, const Tensor& y, const Shape& kept) {
    return reshape(g, kept) * exp(in - reshape(y, kept));
  };
  const Reduced over = reduction("logsumexp", x, axes);
  return record("logsumexp")(kernels::logsumexp(x, over.mask, keepdim), wrt(x, rule, x, output, over.kept));
}

}  // namespace scry
