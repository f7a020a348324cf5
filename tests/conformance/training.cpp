#include "conformance/node.hpp"

// Losses, and derivatives.
namespace scry::conformance {
namespace {

Reduction reduction_of(const Node& node) {
  const std::string word = node.word("reduction", "mean");
  if (word == "none") return Reduction::none;
  supported(word == "mean" || word == "sum", "the reduction ", word);
  return word == "mean" ? Reduction::mean : Reduction::sum;
}

// Labels are never negative but for the ignored ones, so the default ignores nothing.
constexpr int64_t nothing = -100;

Outputs negative_log_likelihood(const Node& node) {
  return {nll_loss(node.in(0), node.in(1),
                   {.weight = node.maybe(2), .ignore_index = node.integer("ignore_index", nothing), .reduction = reduction_of(node)})};
}

Outputs softmax_cross_entropy(const Node& node) {
  const Tensor loss = cross_entropy(
      node.in(0), node.in(1), {.weight = node.maybe(2), .ignore_index = node.integer("ignore_index", nothing), .reduction = reduction_of(node)});
  return {loss, log_softmax(node.in(0), 1)};
}

// The last input is y; see run_case.
Outputs gradient(const Node& node) {
  supported(node.arguments == node.words("xs"), "a gradient at other values than the graph's");
  const Tensor& y = node.inputs.back();
  return grad(y, std::span(node.inputs).first(node.arguments.size()), {}, ones_like(y));
}

}  // namespace

void add_training(Table& table) {
  table.insert({
      {"NegativeLogLikelihoodLoss", negative_log_likelihood},
      {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
      {"Gradient", gradient},
  });
}

}  // namespace scry::conformance
