#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/math.hpp>

namespace scry {

using autograd::output;
using autograd::record;
using autograd::require_floating;
using autograd::wrt;

Tensor exp(const Tensor& x) {
  require_floating("exp", x);
  return record("exp", kernels::exp(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& y) { return g * y; }, output));
}

Tensor log(const Tensor& x) {
  require_floating("log", x);
  return record("log", kernels::log(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& in) { return g / in; }, x));
}

Tensor sqrt(const Tensor& x) {
  require_floating("sqrt", x);
  return record("sqrt", kernels::sqrt(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& y) { return g / (2 * y); }, output));
}

Tensor tanh(const Tensor& x) {
  require_floating("tanh", x);
  return record("tanh", kernels::tanh(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& y) { return g * (1 - y * y); }, output));
}

Tensor sigmoid(const Tensor& x) {
  require_floating("sigmoid", x);
  return record("sigmoid", kernels::sigmoid(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& y) { return g * (y * (1 - y)); }, output));
}

namespace {

// relu's gradient is linear in g, and flat in y.
Tensor relu_gradient(const Tensor& g, const Tensor& y) {
  const Tensor fixed = y.detach();
  return record("relu_gradient", kernels::relu_gradient(g, fixed),
                wrt(
                    g, [](const Tensor& gg, const Tensor& out) { return relu_gradient(gg, out); }, fixed));
}

}  // namespace

Tensor relu(const Tensor& x) {
  require_floating("relu", x);
  return record("relu", kernels::relu(x),
                wrt(
                    x, [](const Tensor& g, const Tensor& y) { return relu_gradient(g, y); }, output));
}

}  // namespace scry
