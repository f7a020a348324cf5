#include "conformance/node.hpp"

#include <cmath>

// Functions of each element, arithmetic, comparisons, logic, choices.
namespace scry::conformance {
namespace {

template <Tensor (*function)(const Tensor&)>
Outputs unary(const Node& node) {
  return {function(node.in(0))};
}

// The second operand, made to broadcast as opsets before 7 had it: with `broadcast` its axes are those of the first from `axis` on.
Tensor second(const Node& node) {
  const Tensor& b = node.in(1);
  if (node.opset >= 7 || !node.flag("broadcast") || !node.attributes.contains("axis")) return b;
  Shape shape = b.shape();
  const int after = node.in(0).rank() - axis_of(node, 0, node.in(0).rank()) - b.rank();
  for (int i = 0; i < after; ++i) shape.push_back(1);
  return reshape(b, shape);
}

// add takes its arguments by value, since it may write over them.
Tensor plus(const Tensor& a, const Tensor& b) { return add(a, b); }

template <Tensor (*function)(const Tensor&, const Tensor&)>
Outputs binary(const Node& node) {
  return {function(node.in(0), second(node))};
}

template <Tensor (*function)(const Tensor&, const Tensor&)>
Outputs variadic(const Node& node) {
  Tensor y = node.in(0);
  for (size_t i = 1; i < node.inputs.size(); ++i) y = function(y, node.in(i));
  return {y};
}

// Integers are divided without the rest; scry's quotient of integers is a float.
Outputs divide(const Node& node) {
  const Tensor &a = node.in(0), b = second(node);
  if (is_floating(a.dtype())) return {a / b};
  return {cast(trunc(cast(a, f64) / cast(b, f64)), a.dtype())};
}

// The result has the type of the base.
Outputs power(const Node& node) { return {cast(pow(node.in(0), second(node)), node.in(0).dtype())}; }

Outputs modulo(const Node& node) { return {node.flag("fmod") ? fmod(node.in(0), node.in(1)) : remainder(node.in(0), node.in(1))}; }

Outputs mean_of(const Node& node) { return {variadic<plus>(node)[0] / static_cast<double>(node.inputs.size())}; }

Outputs is_inf(const Node& node) {
  const Tensor& x = node.in(0);
  const Tensor none = zeros_like(x, boolean);
  return {logical_or(node.flag("detect_positive", true) ? eq(x, INFINITY) : none, node.flag("detect_negative", true) ? eq(x, -INFINITY) : none)};
}

Outputs clip(const Node& node) {
  const auto low = node.number_or_input("min", 1), high = node.number_or_input("max", 2);
  return {low || high ? clamp(node.in(0), low, high) : node.in(0)};
}

Outputs prelu_of(const Node& node) {
  const Tensor &x = node.in(0), &slope = node.in(1);
  // Before opset 7 a slope of one axis was one for each channel.
  return {node.opset < 7 ? prelu(x, slope) : maximum(x, 0) + slope * minimum(x, 0)};
}

Outputs selu_of(const Node& node) {
  const double alpha = node.number("alpha", node.opset < 6 ? 1.6732 : 1.67326319217681884765625);
  const double gamma = node.number("gamma", node.opset < 6 ? 1.0507 : 1.05070102214813232421875);
  return {elu(node.in(0), alpha) * gamma};
}

Outputs hard_sigmoid(const Node& node) { return {clamp(node.in(0) * node.number("alpha", 0.2) + node.number("beta", 0.5), 0, 1)}; }

Outputs shrink(const Node& node) {
  const Tensor& x = node.in(0);
  const double limit = node.number("lambd", 0.5), bias = node.number("bias", 0.0);
  return {cast(where(lt(x, -limit), x + bias, where(gt(x, limit), x - bias, zeros_like(x))), x.dtype())};
}

}  // namespace

void add_elementwise(Table& table) {
  table.insert({
      {"Abs", unary<abs>},
      {"Acos", unary<acos>},
      {"Acosh", unary<acosh>},
      {"Asin", unary<asin>},
      {"Asinh", unary<asinh>},
      {"Atan", unary<atan>},
      {"Atanh", unary<atanh>},
      {"Ceil", unary<ceil>},
      {"Cos", unary<cos>},
      {"Cosh", unary<cosh>},
      {"Erf", unary<erf>},
      {"Exp", unary<exp>},
      {"Floor", unary<floor>},
      {"IsNaN", unary<isnan>},
      {"Log", unary<log>},
      {"Mish", unary<mish>},
      {"Neg", unary<neg>},
      {"Not", unary<logical_not>},
      {"Round", unary<round>},
      {"Sigmoid", unary<sigmoid>},
      {"Sign", unary<sign>},
      {"Sin", unary<sin>},
      {"Sinh", unary<sinh>},
      {"Softsign", unary<softsign>},
      {"Sqrt", unary<sqrt>},
      {"Tan", unary<tan>},
      {"Tanh", unary<tanh>},
      {"HardSwish", unary<hardswish>},
      {"Reciprocal", [](const Node& node) -> Outputs { return {1 / node.in(0)}; }},
      {"Relu", [](const Node& node) -> Outputs { return {is_floating(node.in(0).dtype()) ? relu(node.in(0)) : maximum(node.in(0), 0)}; }},
      // Linear from where the rest is below a rounding of double on.
      {"Softplus", [](const Node& node) -> Outputs { return {softplus(node.in(0), 1, 40)}; }},
      {"Celu", [](const Node& node) -> Outputs { return {celu(node.in(0), node.number("alpha", 1.0))}; }},
      {"Elu", [](const Node& node) -> Outputs { return {elu(node.in(0), node.number("alpha", 1.0))}; }},
      {"LeakyRelu", [](const Node& node) -> Outputs { return {leaky_relu(node.in(0), node.number("alpha", 0.01))}; }},
      {"ThresholdedRelu", [](const Node& node) -> Outputs { return {threshold(node.in(0), node.number("alpha", 1.0), 0)}; }},
      {"Gelu", [](const Node& node) -> Outputs { return {gelu(node.in(0), node.word("approximate", "none") == "tanh" ? Gelu::tanh : Gelu::erf)}; }},
      {"HardSigmoid", hard_sigmoid},
      {"IsInf", is_inf},
      {"PRelu", prelu_of},
      {"Selu", selu_of},
      {"Shrink", shrink},
      {"Clip", clip},

      {"Add", binary<plus>},
      {"Sub", binary<sub>},
      {"Mul", binary<mul>},
      {"Div", divide},
      {"Mod", modulo},
      {"Pow", power},
      {"Max", variadic<maximum>},
      {"Min", variadic<minimum>},
      {"Sum", variadic<plus>},
      {"Mean", mean_of},

      {"Equal", binary<eq>},
      {"Greater", binary<gt>},
      {"GreaterOrEqual", binary<ge>},
      {"Less", binary<lt>},
      {"LessOrEqual", binary<le>},
      {"And", binary<logical_and>},
      {"Or", binary<logical_or>},
      {"Xor", binary<logical_xor>},
      {"Where", [](const Node& node) -> Outputs { return {where(node.in(0), node.in(1), node.in(2))}; }},
  });
}

}  // namespace scry::conformance
