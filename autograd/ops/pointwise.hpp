#pragma once

// Elementwise ops as formulas: callables that are written once and run on registers (one pass over memory) or on tensors (differentiable ops).
// Their functions are found in scry::functions for registers and in scry for tensors. For ops' sources only.

#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/functions.hpp>
#include <scry/core/kernels/layout.hpp>

namespace scry {

/// A number beside a tensor.
inline double like(const Tensor&, double number) { return number; }

namespace autograd {

/// The rule `formula(g, values…)`: in one pass, or in differentiable ops where a second derivative is asked for. The values broadcast to g.
template <class Formula>
auto fused(const Formula& formula) {
  return [formula]<class... Values>(const Tensor& g, const Values&... values) {
    if (grad_enabled()) return formula(g, values...);
    return dispatch_floating("gradient", g.dtype(), [&]<class T>() {
      return kernels::map_to<T, T, std::conditional_t<true, T, Values>...>(g.shape(), formula, g, values...);
    });
  };
}

/// The same for an op of one input: then nobody needs g afterwards, and its memory may take the result.
template <class Formula>
auto fused_over(const Formula& formula) {
  return [formula]<class... Values>(const Tensor& g, const Values&... values) {
    if (grad_enabled() || !kernels::expendable(g)) return fused(formula)(g, values...);
    dispatch_floating("gradient", g.dtype(), [&]<class T>() {
      kernels::elementwise_into(g, {&g, &values...}, kernels::loop<Formula, T, T, std::conditional_t<true, T, Values>...>, &formula);
    });
    return g;
  };
}

/// f(x), f32 or f64, in one pass.
template <class F>
Tensor apply_formula(const char* op, const Tensor& x, const F& f) {
  require_floating(op, x);
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return kernels::map<T, T>(x, f); });
}

/// y = f(x), which has to be told its gradient, another formula.
class Pointwise {
 public:
  template <class F>
  Pointwise(const char* op, const Tensor& x, const F& f) : recorder_(op), x_(x), y_(apply_formula(op, x, f)) {}

  /// Its gradient is rule(g, x).
  template <class Rule>
  Tensor by_input(const Rule& rule) && {
    return recorder_(std::move(y_), wrt(x_, fused_over(rule), x_));
  }
  /// Its gradient is rule(g, y).
  template <class Rule>
  Tensor by_output(const Rule& rule) && {
    return recorder_(std::move(y_), wrt(x_, fused_over(rule), output));
  }

 private:
  Recorder recorder_;
  const Tensor& x_;
  Tensor y_;
};

}  // namespace autograd
}  // namespace scry
