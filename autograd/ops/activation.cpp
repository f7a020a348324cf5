#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/pointwise.hpp>
#include <scry/autograd/ops/view.hpp>
#include <limits>
#include <numbers>

namespace scry {

using namespace functions;
using autograd::fused;
using autograd::Pointwise;
using autograd::wrt;

Tensor leaky_relu(const Tensor& x, double slope) {
  return Pointwise("leaky_relu", x, [slope](auto v) { return where(gt(v, 0), v, v * like(v, slope)); }).by_input([slope](auto g, auto v) {
    return where(gt(v, 0), g, g * like(g, slope));
  });
}

namespace {

// positive x above 0, negative (e^(rate x) - 1) below.
Tensor record_exponential(const char* op, const Tensor& x, double positive, double negative, double rate) {
  return Pointwise(op, x, [=](auto v) { return where(gt(v, 0), v * like(v, positive), like(v, negative) * expm1(v * like(v, rate))); })
      .by_input([=](auto g, auto v) {
        const auto below = g * (like(v, negative * rate) * exp(minimum(v, 0) * like(v, rate)));
        return where(gt(v, 0), g * like(g, positive), below);
      });
}

}  // namespace

Tensor elu(const Tensor& x, double alpha) { return record_exponential("elu", x, 1, alpha, 1); }
Tensor selu(const Tensor& x) {
  constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  return record_exponential("selu", x, scale, scale * alpha, 1);
}
Tensor celu(const Tensor& x, double alpha) {
  require(alpha != 0, "celu: alpha must not be 0");
  return record_exponential("celu", x, 1, alpha, 1 / alpha);
}

namespace {

// Φ, the distribution function of the standard normal distribution.
const auto normal_below = [](auto v) { return like(v, 0.5) * (1 + erf(v * like(v, 1 / std::numbers::sqrt2))); };

// The argument of the tanh that approximates it.
const auto gelu_slope = [](auto v) { return v * like(v, std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * (1 + like(v, 0.044715) * (v * v)); };

}  // namespace

Tensor gelu(const Tensor& x, Gelu form) {
  if (form == Gelu::erf)
    return Pointwise("gelu", x, [](auto v) { return v * normal_below(v); }).by_input([](auto g, auto v) {
      const auto density = like(v, std::numbers::inv_sqrtpi / std::numbers::sqrt2) * exp(v * v * like(v, -0.5));
      return g * (normal_below(v) + v * density);
    });
  return Pointwise("gelu_tanh", x, [](auto v) { return like(v, 0.5) * v * (1 + tanh(gelu_slope(v))); }).by_input([](auto g, auto v) {
    const auto t = tanh(gelu_slope(v));
    const auto slope = like(v, std::numbers::sqrt2 * std::numbers::inv_sqrtpi) * (1 + like(v, 3 * 0.044715) * (v * v));
    return g * like(g, 0.5) * (1 + t + v * slope * (1 - t * t));
  });
}

Tensor silu(const Tensor& x) {
  return Pointwise("silu", x, [](auto v) { return v * sigmoid(v); }).by_input([](auto g, auto v) {
    const auto s = sigmoid(v);
    return g * (s * (1 + v * (1 - s)));
  });
}

Tensor mish(const Tensor& x) {
  return Pointwise("mish", x, [](auto v) { return v * tanh(softplus(v)); }).by_input([](auto g, auto v) {
    const auto t = tanh(softplus(v));
    return g * (t + v * sigmoid(v) * (1 - t * t));
  });
}

Tensor softplus(const Tensor& x, double beta, double threshold) {
  require(beta != 0, "softplus: beta must not be 0");
  return Pointwise("softplus", x,
                   [=](auto v) {
                     const auto scaled = v * like(v, beta);
                     return where(gt(scaled, threshold), v, softplus(scaled) / like(v, beta));
                   })
      .by_input([=](auto g, auto v) {
        const auto scaled = v * like(v, beta);
        return where(gt(scaled, threshold), g, g * sigmoid(scaled));
      });
}

Tensor softsign(const Tensor& x) {
  return Pointwise("softsign", x, [](auto v) { return v / (1 + abs(v)); }).by_input([](auto g, auto v) {
    const auto below = 1 + abs(v);
    return g / (below * below);
  });
}

Tensor tanhshrink(const Tensor& x) {
  return Pointwise("tanhshrink", x, [](auto v) { return v - tanh(v); }).by_input([](auto g, auto v) {
    const auto t = tanh(v);
    return g * (t * t);
  });
}

Tensor logsigmoid(const Tensor& x) {
  return Pointwise("logsigmoid", x, [](auto v) { return softplus(-v) * -1; }).by_input([](auto g, auto v) { return g * sigmoid(-v); });
}

namespace {

// x clipped to [low, high] by f, over its own memory where nobody else needs that: then a normalisation before it takes the clip into its rule.
template <class F, class Rule>
Tensor record_clip(const char* op, const Tensor& x, double low, double high, const F& f, const Rule& rule) {
  autograd::require_floating(op, x);
  if (!kernels::expendable(x)) return Pointwise(op, x, f).by_output(rule);
  const auto recorder = autograd::record(op);
  Tensor y = x.detach();
  dispatch_floating(op, x.dtype(), [&]<class T>() { kernels::elementwise_into(y, {&y}, kernels::loop<F, T, T>, &f); });
  if (autograd::Node* node = grad_enabled() && x.requires_grad() ? autograd::node_of(x) : nullptr)
    if (node->unique() && !node->attachments() && node->absorb_clip(low, high)) return x;
  return recorder(y, wrt(x, autograd::fused_over(rule), autograd::output));
}

Tensor record_clip(const char* op, const Tensor& x, double low, double high) {
  require(low <= high, op, ": the lower bound ", low, " is above the upper one, ", high);
  return record_clip(
      op, x, low, high, [=](auto v) { return minimum(maximum(v, low), high); },
      [=](auto g, auto y) { return where(le(y, low), like(g, 0), where(eq(y, high), like(g, 0), g)); });
}

}  // namespace

Tensor relu(Tensor x) {
  return record_clip(
      "relu", x, 0, std::numeric_limits<double>::infinity(), [](auto v) { return maximum(v, 0); },
      [](auto g, auto y) { return where(le(y, 0), like(g, 0), g); });
}
Tensor hardtanh(Tensor x, double low, double high) { return record_clip("hardtanh", x, low, high); }
Tensor relu6(Tensor x) { return record_clip("relu6", x, 0, 6); }
Tensor hardsigmoid(const Tensor& x) {
  return Pointwise("hardsigmoid", x, [](auto v) { return minimum(maximum(v / 6 + like(v, 0.5), 0), 1); }).by_input([](auto g, auto v) {
    return where(le(v, -3), like(g, 0), where(lt(v, 3), g / 6, like(g, 0)));
  });
}

Tensor hardswish(const Tensor& x) {
  return Pointwise("hardswish", x, [](auto v) { return v * minimum(maximum(v + 3, 0), 6) / 6; }).by_input([](auto g, auto v) {
    const auto inside = g * (v / 3 + like(v, 0.5));
    return where(le(v, -3), like(g, 0), where(lt(v, 3), inside, g));
  });
}

Tensor hardshrink(const Tensor& x, double lambda) {
  return Pointwise("hardshrink", x, [=](auto v) { return where(le(abs(v), lambda), like(v, 0), v); }).by_input([=](auto g, auto v) {
    return where(le(abs(v), lambda), like(g, 0), g);
  });
}

Tensor softshrink(const Tensor& x, double lambda) {
  require(lambda >= 0, "softshrink: lambda must be at least 0, got ", lambda);
  return Pointwise("softshrink", x,
                   [=](auto v) { return where(le(abs(v), lambda), like(v, 0), where(gt(v, 0), v - like(v, lambda), v + like(v, lambda))); })
      .by_input([=](auto g, auto v) { return where(le(abs(v), lambda), like(g, 0), g); });
}

Tensor threshold(const Tensor& x, double threshold, double value) {
  return Pointwise("threshold", x, [=](auto v) { return where(le(v, threshold), like(v, value), v); }).by_input([=](auto g, auto v) {
    return where(le(v, threshold), like(g, 0), g);
  });
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  const autograd::Recorder recorder = autograd::record("prelu");
  autograd::require_floating("prelu", x);
  autograd::require_floating("prelu", weight);
  autograd::require_same_dtype("prelu", x, weight);
  const int axis = x.rank() > 1 ? 1 : 0;
  require(weight.numel() == 1 || (weight.rank() == 1 && x.rank() > 0 && weight.numel() == x.size(axis)),
          "prelu: expected one weight, or one for each channel of an input of shape ", x.shape(), ", got weights of shape ", weight.shape());
  Shape shape = Shape::filled(x.rank(), 1);
  if (x.rank() > 0) shape[axis] = weight.numel();
  const Tensor w = reshape(weight, shape);
  Tensor y = dispatch_floating("prelu", x.dtype(), [&]<class T>() {
    return kernels::map_to<T, T, T>(
        x.shape(), [](auto v, auto slope) { return where(gt(v, 0), v, slope * v); }, x, w);
  });
  return recorder(y, wrt(x, fused([](auto g, auto v, auto slope) { return where(gt(v, 0), g, g * slope); }), x, w),
                  wrt(w, fused([](auto g, auto v) { return where(gt(v, 0), like(g, 0), g * v); }), x));
}

Tensor rrelu(const Tensor& x, double lower, double upper, bool training, Generator& generator) {
  autograd::require_floating("rrelu", x);
  require(lower >= 0 && lower <= upper, "rrelu: expected slopes from 0 <= lower <= upper, got ", lower, " and ", upper);
  if (!training) return leaky_relu(x, (lower + upper) / 2);
  return where(gt(x, 0), x, x * uniform(x.shape(), lower, upper, x.dtype(), generator));
}

Tensor glu(const Tensor& x, int axis) {
  autograd::require_floating("glu", x);
  const int at = wrap_axis("glu", axis, x.rank());
  require(x.size(at) % 2 == 0, "glu: axis ", axis, " of shape ", x.shape(), " doesn't split into halves");
  const int64_t half = x.size(at) / 2;
  return narrow(x, at, 0, half) * sigmoid(narrow(x, at, half, half));
}

}  // namespace scry
