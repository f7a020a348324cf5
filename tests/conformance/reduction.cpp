#include "conformance/node.hpp"

#include <cmath>

// Reductions, running sums, softmax, order.
namespace scry::conformance {
namespace {

using AlongAxes = Tensor (*)(const Tensor&, const AxesArgument&, bool);

// Axes were an attribute, and became an input in opset 13 (sum) or 18 (others). Without any all are reduced, or none of them.
template <AlongAxes reduction>
Outputs reduce(const Node& node) {
  const Integers axes = node.integers_or_input("axes", 1).value_or(Integers{});
  const bool keepdims = node.flag("keepdims", true);
  const Tensor& x = node.in(0);
  if (!axes.empty()) return {reduction(x, AxesArgument(to_axes(axes)), keepdims)};
  if (node.flag("noop_with_empty_axes")) return {reduction(unsqueeze(x, x.rank()), x.rank(), false)};
  return {reduction(x, {}, keepdims)};
}

Tensor of_same_type(const Tensor& x, const Tensor& y) { return cast(y, x.dtype()); }

Tensor sum_same(const Tensor& x, const AxesArgument& axes, bool keepdim) { return of_same_type(x, sum(x, axes, keepdim)); }
Tensor prod_same(const Tensor& x, const AxesArgument& axes, bool keepdim) { return of_same_type(x, prod(x, axes, keepdim)); }
Tensor mean_same(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  return is_floating(x.dtype()) ? mean(x, axes, keepdim) : of_same_type(x, mean(cast(x, f64), axes, keepdim));
}
// Of nothing, the largest is what is smaller than everything.
template <AlongAxes reduction>
Tensor extreme(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  if (x.numel() > 0) return reduction(x, axes, keepdim);
  const bool largest = reduction == AlongAxes(amax);
  return full(sum(x, axes, keepdim).shape(), x.dtype() == boolean ? !largest : largest ? -INFINITY : INFINITY, x.dtype());
}
Tensor sum_abs(const Tensor& x, const AxesArgument& axes, bool keepdim) { return sum_same(abs(x), axes, keepdim); }
Tensor root_of_squares(const Tensor& x, const AxesArgument& axes, bool keepdim) {
  return is_floating(x.dtype()) ? norm(x, 2, axes, keepdim) : of_same_type(x, norm(cast(x, f64), 2, axes, keepdim));
}
Tensor sum_squares(const Tensor& x, const AxesArgument& axes, bool keepdim) { return sum_same(square(x), axes, keepdim); }
Tensor log_sum(const Tensor& x, const AxesArgument& axes, bool keepdim) { return log(sum(x, axes, keepdim)); }

template <Tensor (*which)(const Tensor&, int, bool)>
Outputs arg(const Node& node) {
  const Tensor& x = node.in(0);
  const int axis = axis_of(node, 0, x.rank());
  const bool keepdims = node.flag("keepdims", true);
  if (!node.flag("select_last_index")) return {which(x, axis, keepdims)};
  return {static_cast<double>(x.size(axis) - 1) - which(flip(x, {axis}), axis, keepdims)};
}

Outputs running_sum(const Node& node) {
  const Tensor& x = node.in(0);
  const int axis = wrap_axis("CumSum", static_cast<int>(node.in(1).item<int64_t>()), x.rank());
  const bool reverse = node.flag("reverse");
  Tensor y = reverse ? flip(x, {axis}) : x;
  if (node.flag("exclusive") && x.size(axis) > 0) {
    const Tensor first = zeros_like(narrow(y, axis, 0, 1));
    y = cat({first, narrow(y, axis, 0, x.size(axis) - 1)}, axis);
  }
  y = of_same_type(x, cumsum(y, axis));
  return {reverse ? flip(y, {axis}) : y};
}

// Along one axis; before opset 13 along all from `axis` on together.
template <Tensor (*function)(const Tensor&, int)>
Outputs along(const Node& node) {
  const Tensor& x = node.in(0);
  if (node.opset >= 13) return {function(x, axis_of(node, -1, x.rank()))};
  const int axis = axis_of(node, 1, x.rank());
  return {reshape(function(flatten(x, axis), axis), x.shape())};
}

Tensor hardmax(const Tensor& x, int axis) { return cast(movedim(one_hot(argmax(x, axis), x.size(axis)), -1, axis), x.dtype()); }

Outputs top_k(const Node& node) {
  const int64_t k = node.attributes.contains("k") ? node.integer("k", 1) : node.in(1).item<int64_t>();
  const auto [values, indices] = topk(node.in(0), k, static_cast<int>(node.integer("axis", -1)), node.flag("largest", true));
  return {values, indices};
}

}  // namespace

void add_reductions(Table& table) {
  table.insert({
      {"ReduceSum", reduce<sum_same>},
      {"ReduceProd", reduce<prod_same>},
      {"ReduceMean", reduce<mean_same>},
      {"ReduceMax", reduce<extreme<amax>>},
      {"ReduceMin", reduce<extreme<amin>>},
      {"ReduceL1", reduce<sum_abs>},
      {"ReduceL2", reduce<root_of_squares>},
      {"ReduceSumSquare", reduce<sum_squares>},
      {"ReduceLogSum", reduce<log_sum>},
      {"ReduceLogSumExp", reduce<logsumexp>},
      {"ArgMax", arg<argmax>},
      {"ArgMin", arg<argmin>},
      {"CumSum", running_sum},
      {"Softmax", along<softmax>},
      {"LogSoftmax", along<log_softmax>},
      {"Hardmax", along<hardmax>},
      {"TopK", top_k},
  });
}

}  // namespace scry::conformance
