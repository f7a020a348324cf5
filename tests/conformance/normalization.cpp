#include "conformance/node.hpp"

// Normalisation, and dropout.
namespace scry::conformance {
namespace {

// In training the batch's own statistics, of which the share 1 - momentum goes into the running ones; the variance is the population's.
Outputs batch_normalization(const Node& node) {
  const Tensor &x = node.in(0), &mean_before = node.in(3), &variance_before = node.in(4);
  supported(node.opset >= 9 || node.flag("spatial", true), "statistics for each place of a channel");
  const bool training = node.opset >= 14 ? node.flag("training_mode") : node.opset < 7 ? !node.flag("is_test") : node.wants(1);
  const BatchNormOptions options{.eps = node.number("epsilon", 1e-5), .training = training};
  if (!training) return {batch_norm(x, {mean_before, variance_before}, node.in(1), node.in(2), options)};
  std::vector<int> others{0};
  for (int i = 2; i < x.rank(); ++i) others.push_back(i);
  const AxesArgument axes(others);
  const double kept = node.number("momentum", 0.9);
  return {batch_norm(x, {}, node.in(1), node.in(2), options), mean_before * kept + mean(x, axes) * (1 - kept),
          variance_before * kept + var(x, axes, {.correction = 0}) * (1 - kept)};
}

Outputs instance_normalization(const Node& node) { return {instance_norm(node.in(0), node.in(1), node.in(2), node.number("epsilon", 1e-5))}; }

Outputs group_normalization(const Node& node) {
  const Tensor& x = node.in(0);
  const int64_t groups = node.integer("num_groups", 1);
  // Opset 18 had a weight and a bias for each group.
  const auto by_channel = [&](const Tensor& each) { return node.opset < 21 ? repeat_interleave(each, x.size(1) / groups, 0) : each; };
  return {group_norm(x, groups, by_channel(node.in(1)), by_channel(node.in(2)), node.number("epsilon", 1e-5))};
}

Shape trailing(const Tensor& x, int axis) { return Shape(std::span(x.shape().begin() + axis, x.shape().end())); }

Outputs layer_normalization(const Node& node) {
  const Tensor& x = node.in(0);
  const int axis = axis_of(node, -1, x.rank());
  const double epsilon = node.number("epsilon", 1e-5);
  const Shape shape = trailing(x, axis);
  std::vector<int> normalized;
  for (int i = axis; i < x.rank(); ++i) normalized.push_back(i);
  const AxesArgument axes(normalized);
  const Tensor bias = node.has(2) ? expand(node.in(2), shape) : Tensor();
  return {layer_norm(x, shape, expand(node.in(1), shape), bias, epsilon), mean(x, axes, true),
          rsqrt(var(x, axes, {.correction = 0, .keepdim = true}) + epsilon)};
}

Outputs rms_normalization(const Node& node) {
  const Tensor& x = node.in(0);
  const Shape shape = trailing(x, axis_of(node, -1, x.rank()));
  return {rms_norm(x, shape, expand(node.in(1), shape), node.number("epsilon", 1e-5))};
}

Outputs mean_variance_normalization(const Node& node) {
  const Tensor& x = node.in(0);
  const AxesArgument axes(to_axes(node.integers("axes").value_or(Integers{0, 2, 3})));
  return {(x - mean(x, axes, true)) / (std(x, axes, {.correction = 0, .keepdim = true}) + 1e-9)};
}

Outputs lp_normalization(const Node& node) {
  const Tensor& x = node.in(0);
  const Tensor size = norm(x, static_cast<double>(node.integer("p", 2)), axis_of(node, -1, x.rank()), true);
  return {where(eq(size, 0), zeros_like(x), x / size)};
}

// Outside of training, or with a ratio of 0, what comes in goes out, and the mask is all ones.
Outputs dropout_of(const Node& node) {
  const bool training = node.opset >= 12 ? node.has(2) && node.in(2).item<bool>() : node.opset < 7 && !node.flag("is_test");
  const double ratio = node.number_or_input("ratio", 1).value_or(0.5);
  supported(!training || ratio == 0, "what drops out was drawn from NumPy's generator");
  return {node.in(0), ones_like(node.in(0), node.opset >= 10 ? boolean : node.in(0).dtype())};
}

}  // namespace

void add_normalization(Table& table) {
  table.insert({
      {"BatchNormalization", batch_normalization},
      {"InstanceNormalization", instance_normalization},
      {"GroupNormalization", group_normalization},
      {"LayerNormalization", layer_normalization},
      {"RMSNormalization", rms_normalization},
      {"MeanVarianceNormalization", mean_variance_normalization},
      {"LpNormalization", lp_normalization},
      {"Dropout", dropout_of},
  });
}

}  // namespace scry::conformance
