#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/pointwise.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/reduction.hpp>
#include <scry/autograd/ops/view.hpp>
#include <cmath>
#include <numbers>

namespace scry {

using namespace functions;
using autograd::fused;
using autograd::Pointwise;
using autograd::reduced;
using autograd::require_same_shape;
using autograd::wrt;

namespace {

Tensor difference(std::string_view op, const Tensor& x, const Tensor& y) {
  require_same_shape(op, x, y);
  return x - y;
}

Tensor weighted(std::string_view op, const Tensor& losses, const Tensor& weight) {
  if (!weight.defined()) return losses;
  require(broadcast_shapes(op, losses.shape(), weight.shape()) == losses.shape(), op, ": a weight of shape ", weight.shape(),
          " doesn't broadcast to losses of shape ", losses.shape());
  return losses * weight;
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& y, const LossOptions& options) {
  return reduced(square(difference("mse_loss", x, y)), options.reduction);
}

Tensor l1_loss(const Tensor& x, const Tensor& y, const LossOptions& options) { return reduced(abs(difference("l1_loss", x, y)), options.reduction); }

Tensor huber_loss(const Tensor& x, const Tensor& y, const HuberOptions& options) {
  const double delta = options.delta;
  require(delta > 0, "huber_loss: delta must be above 0, got ", delta);
  const Tensor losses = Pointwise("huber_loss", difference("huber_loss", x, y), [=](auto d) {
                          return where(le(abs(d), delta), like(d, 0.5) * d * d, like(d, delta) * (abs(d) - like(d, delta / 2)));
                        }).by_input([=](auto g, auto d) { return g * minimum(maximum(d, -delta), delta); });
  return reduced(losses, options.reduction);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& y, const SmoothL1Options& options) {
  const double beta = options.beta;
  require(beta >= 0, "smooth_l1_loss: beta must be at least 0, got ", beta);
  if (beta == 0) return l1_loss(x, y, {options.reduction});
  require_same_shape("smooth_l1_loss", x, y);
  return reduced(huber_loss(x, y, {.delta = beta, .reduction = Reduction::none}) / beta, options.reduction);
}

Tensor binary_cross_entropy(const Tensor& x, const Tensor& y, const BinaryCrossEntropyOptions& options) {
  constexpr const char* op = "binary_cross_entropy";
  require_same_shape(op, x, y);
  require(all(logical_and(ge(x, 0), le(x, 1))).item<bool>(), op,
          ": the input holds values that are no probabilities from 0 to 1; for logits there is ", op, "_with_logits");
  const auto loss = [](auto v, auto t) { return (t - 1) * maximum(log(1 - v), -100) - t * maximum(log(v), -100); };
  const auto to_input = [](auto g, auto v, auto t) { return g * (v - t) / maximum(v * (1 - v), 1e-12); };
  const auto to_target = [](auto g, auto v) { return g * (maximum(log(1 - v), -100) - maximum(log(v), -100)); };
  Tensor losses = dispatch_floating(op, x.dtype(), [&]<class T>() { return kernels::map_to<T, T, T>(x.shape(), loss, x, y); });
  losses = autograd::record("binary_cross_entropy")(losses, wrt(x, fused(to_input), x, y), wrt(y, fused(to_target), x));
  return reduced(weighted(op, losses, options.weight), options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& y, const LogitsCrossEntropyOptions& options) {
  constexpr const char* op = "binary_cross_entropy_with_logits";
  require_same_shape(op, x, y);
  const Tensor below = -logsigmoid(x);  // log(1 + e⁻ˣ)
  Tensor losses = (1 - y) * x;
  if (options.pos_weight.defined())
    losses = losses + below * (weighted(op, y, options.pos_weight - 1) + 1);
  else
    losses = losses + below;
  return reduced(weighted(op, losses, options.weight), options.reduction);
}

Tensor sigmoid_focal_loss(const Tensor& x, const Tensor& y, const FocalOptions& options) {
  require_same_shape("sigmoid_focal_loss", x, y);
  require(options.gamma >= 0, "sigmoid_focal_loss: gamma must be at least 0, got ", options.gamma);
  const Tensor p = sigmoid(x), missed = p + y - 2 * p * y;  // 1 - p where y = 1, p where y = 0
  Tensor losses = binary_cross_entropy_with_logits(x, y, {.reduction = Reduction::none}) * pow(missed, options.gamma);
  if (options.alpha >= 0) losses = losses * (y * (2 * options.alpha - 1) + (1 - options.alpha));
  return reduced(losses, options.reduction);
}

Tensor kl_div(const Tensor& x, const Tensor& y, const KlDivOptions& options) {
  require_same_shape("kl_div", x, y);
  if (options.log_target) return reduced(exp(y) * (y - x), options.reduction);
  const Tensor positive = gt(y, 0);
  return reduced(where(positive, y * (log(where(positive, y, 1)) - x), 0), options.reduction);
}

Tensor gaussian_nll_loss(const Tensor& x, const Tensor& y, const Tensor& variance, const GaussianNllOptions& options) {
  constexpr const char* op = "gaussian_nll_loss";
  require_same_shape(op, x, y);
  autograd::require_floating(op, variance);
  autograd::require_same_dtype(op, x, variance);
  Tensor v = variance;
  if (v.rank() == x.rank() - 1) v = unsqueeze(v, -1);
  Shape expected = x.shape();
  if (v.rank() > 0 && v.rank() == x.rank() && v.size(-1) == 1) expected[x.rank() - 1] = 1;
  require(v.shape() == expected, op, ": variances of shape ", variance.shape(), " don't fit an input of shape ", x.shape());
  require(all(ge(v, 0)).item<bool>(), op, ": variances must be at least 0");
  v = v + (maximum(v, options.eps) - v).detach();  // the bound takes nothing from the gradient, as in PyTorch
  Tensor losses = 0.5 * (log(v) + square(x - y) / v);
  if (options.full) losses = losses + 0.5 * std::log(2 * std::numbers::pi);
  return reduced(losses, options.reduction);
}

Tensor poisson_nll_loss(const Tensor& x, const Tensor& y, const PoissonNllOptions& options) {
  require_same_shape("poisson_nll_loss", x, y);
  Tensor losses = options.log_input ? exp(x) - y * x : x - y * log(x + options.eps);
  if (options.full) {
    const Tensor large = gt(y, 1), n = where(large, y, 1);
    losses = losses + where(large, n * log(n) - n + 0.5 * log(2 * std::numbers::pi * n), 0);
  }
  return reduced(losses, options.reduction);
}

}  // namespace scry
