#include <scry/autograd/anomaly.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <cmath>

namespace scry {

using autograd::Node;

namespace {

// ", from rows fc1.weight and fc1.bias": the parameters among a node's inputs.
std::string rows_of(const Node& node) {
  std::string rows;
  for (const auto& input : node.inputs())
    if (input && input->is_leaf && !static_cast<const autograd::Leaf&>(*input).name.empty())
      rows += (rows.empty() ? ", computed from " : ", ") + static_cast<const autograd::Leaf&>(*input).name;
  return rows;
}

}  // namespace

// "nan at [1, 0] of shape [2, 3]", or nothing where all is well.
std::string AnomalyMode::found_in(const Tensor& x) const {
  if (!is_floating(x.dtype())) return {};
  const NoGrad off;
  const Tensor plain = x.detach(), wrong = options_.infinity ? logical_not(isfinite(plain)) : isnan(plain);
  if (!any(wrong).item<bool>()) return {};
  const std::vector<double> values = plain.to_vector<double>();
  size_t at = 0;
  while (options_.infinity ? std::isfinite(values[at]) : !std::isnan(values[at])) ++at;
  Shape index = x.shape();
  auto rest = static_cast<int64_t>(at);
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    index[axis] = rest % x.shape()[axis];
    rest /= x.shape()[axis];
  }
  return text(values[at], " at ", index, " of shape ", x.shape());
}

// "mul in features.0".
std::string AnomalyMode::origin(const Node& node) const {
  const auto place = places_.find(&node);
  return place == places_.end() || place->second.empty() ? std::string(node.op) : text(node.op, " in ", place->second);
}

void AnomalyMode::computed(const char* op, const Tensor& y, int64_t) {
  const Node* node = y.requires_grad() ? autograd::node_of(y) : nullptr;
  if (node) places_[node] = autograd::Place::current();
  const std::string found = found_in(y);
  if (found.empty()) return;
  if (rule_) fail("anomaly: in backward of ", origin(*rule_), ": ", op, " computed ", found);
  const std::string place = autograd::Place::current();
  fail("anomaly: ", op, place.empty() ? "" : " in ", place, " computed ", found, node ? rows_of(*node) : "");
}

void AnomalyMode::passed_on(const Node& from, const Node& to, const Tensor& gradient) {
  const std::string found = found_in(gradient);
  if (found.empty()) return;
  const std::string row = to.is_leaf ? static_cast<const autograd::Leaf&>(to).name : std::string();
  fail("anomaly: in backward of ", origin(from), ": the gradient of ", row.empty() ? to.is_leaf ? std::string("a leaf") : origin(to) : row, " is ",
       found);
}

}  // namespace scry
