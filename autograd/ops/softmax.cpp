#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/softmax.hpp>

namespace scry {

using autograd::output;
using autograd::record;
using autograd::wrt;

namespace {

Tensor softmax_rule(const Tensor& g, const Tensor& y, int axis) {
  if (!grad_enabled()) return kernels::softmax_gradient(g, y, axis);
  return y * (g - sum(g * y, axis, true));
}

Tensor log_softmax_rule(const Tensor& g, const Tensor& y, int axis) {
  if (!grad_enabled()) return kernels::log_softmax_gradient(g, y, axis);
  return g - exp(y) * sum(g, axis, true);
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  autograd::require_floating("softmax", x);
  const int at = wrap_axis("softmax", axis, x.rank());
  return record("softmax")(kernels::softmax(x, at), wrt(x, softmax_rule, output, at));
}

Tensor softmin(const Tensor& x, int axis) {
  autograd::require_floating("softmin", x);
  return softmax(-x, wrap_axis("softmin", axis, x.rank()));
}

Tensor log_softmax(const Tensor& x, int axis) {
  autograd::require_floating("log_softmax", x);
  const int at = wrap_axis("log_softmax", axis, x.rank());
  return record("log_softmax")(kernels::log_softmax(x, at), wrt(x, log_softmax_rule, output, at));
}

}  // namespace scry
