#include "conformance/node.hpp"

// Recurrent layers. Weights are stacked by gates, in an order of ONNX's own, and by directions.
namespace scry::conformance {
namespace {

struct Kind {
  std::vector<int64_t> gates;            ///< ONNX's gates in scry's order
  std::vector<std::string> activations;  ///< that scry has, by default
};

// The blocks of the first axis in another order.
Tensor reordered(const Tensor& x, const std::vector<int64_t>& order) {
  const std::vector<Tensor> blocks = chunk(x, static_cast<int64_t>(order.size()));
  std::vector<Tensor> out;
  for (int64_t block : order) out.push_back(blocks.at(static_cast<size_t>(block)));
  return cat(out);
}

// The weights of one direction.
RecurrentWeights weights_of(const Node& node, int64_t direction, const std::vector<int64_t>& gates) {
  const auto part = [&](size_t input) { return select(node.in(input), 0, direction); };
  RecurrentWeights weights{.input = reordered(part(1), gates), .hidden = reordered(part(2), gates)};
  if (node.has(3)) {
    const std::vector<Tensor> biases = chunk(part(3), 2);
    weights.input_bias = reordered(biases[0], gates);
    weights.hidden_bias = reordered(biases[1], gates);
  }
  if (node.has(7)) weights.peephole = reordered(reshape(part(7), {3, -1}), {0, 2, 1});  // i, o, f
  return weights;
}

// run(x, weights, h, c, options) for each direction.
template <class F>
Outputs recurrent(const Node& node, const Kind& kind, const F& run) {
  supported(!node.attributes.contains("clip"), "clipped cells");
  supported(!node.flag("input_forget"), "coupled gates");
  const std::vector<std::string> given = node.words("activations");
  for (size_t i = 0; i < given.size(); ++i)
    supported(given[i] == kind.activations[i % kind.activations.size()] || node.type == "RNN", "the activation ", given[i]);
  const bool batch_first = node.integer("layout", 0) == 1;
  const Tensor x = batch_first ? transpose(node.in(0), 0, 1) : node.in(0);
  const std::string direction = node.word("direction", "forward");
  std::vector<Tensor> outputs, hidden, cells;
  for (int64_t d = 0; d < node.in(1).size(0); ++d) {
    const auto first = [&](size_t input) { return node.has(input) ? select(node.in(input), batch_first ? 1 : 0, d) : Tensor(); };
    const RecurrentOptions options{.reverse = direction == "reverse" || d == 1,
                                   .lengths = node.maybe(4),
                                   .reset_before = node.type == "GRU" && !node.flag("linear_before_reset")};
    const RecurrentResult result = run(x, weights_of(node, d, kind.gates), first(5), first(6), options, d);
    outputs.push_back(result.output);
    hidden.push_back(result.h);
    if (result.c.defined()) cells.push_back(result.c);
  }
  const int axis = batch_first ? 1 : 0;
  const Tensor y = stack(outputs, 1);  // [T, directions, B, H]
  return {batch_first ? permute(y, {2, 0, 1, 3}) : y, stack(hidden, axis), cells.empty() ? Tensor() : stack(cells, axis)};
}

Outputs lstm_layer(const Node& node) {
  return recurrent(node, {{0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"}},
                   [](const Tensor& x, const RecurrentWeights& weights, const Tensor& h, const Tensor& c, const RecurrentOptions& options, int64_t) {
                     return lstm(x, {h, c}, weights, options);
                   });
}

Outputs gru_layer(const Node& node) {
  return recurrent(node, {{1, 0, 2}, {"Sigmoid", "Tanh"}},
                   [](const Tensor& x, const RecurrentWeights& weights, const Tensor& h, const Tensor&, const RecurrentOptions& options, int64_t) {
                     return gru(x, h, weights, options);
                   });
}

Outputs rnn_layer(const Node& node) {
  return recurrent(node, {{0}, {"Tanh"}},
                   [&](const Tensor& x, const RecurrentWeights& weights, const Tensor& h, const Tensor&, const RecurrentOptions& options, int64_t d) {
                     const std::vector<std::string> given = node.words("activations");
                     const std::string activation = given.empty() ? "Tanh" : given.at(static_cast<size_t>(d));
                     supported(activation == "Tanh" || activation == "Relu", "the activation ", activation);
                     return rnn(x, h, weights, activation == "Relu", options);
                   });
}

}  // namespace

void add_recurrent(Table& table) {
  table.insert({
      {"LSTM", lstm_layer},
      {"GRU", gru_layer},
      {"RNN", rnn_layer},
  });
}

}  // namespace scry::conformance
