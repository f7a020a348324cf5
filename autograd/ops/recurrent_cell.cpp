#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/recurrent.hpp>
#include <scry/autograd/ops/view.hpp>

namespace scry {
namespace {

struct Gates {
  Tensor input, hidden;  // W x + b and U h + b'
};

Gates gates(std::string_view op, int64_t count, const Tensor& x, const Tensor& h, const RecurrentWeights& weights) {
  autograd::require_rank(op, "the input", x, 2);
  autograd::require_rank(op, "the state", h, 2);
  autograd::require_rank(op, "the input's weight", weights.input, 2);
  autograd::require_rank(op, "the state's weight", weights.hidden, 2);
  const int64_t rows = weights.hidden.size(0);
  require(rows % count == 0 && weights.input.size(0) == rows, op, ": weights of shapes ", weights.input.shape(), " and ", weights.hidden.shape(),
          " don't make ", count, " gates of the same units");
  require(x.size(0) == h.size(0) && h.size(1) == weights.hidden.size(1) && x.size(1) == weights.input.size(1), op,
          ": expected an input and a state of shapes [B, ", weights.input.size(1), "] and [B, ", weights.hidden.size(1), "], got ", x.shape(),
          " and ", h.shape());
  return {linear(x, weights.input, weights.input_bias), linear(h, weights.hidden, weights.hidden_bias)};
}

}  // namespace

Tensor rnn_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool with_relu) {
  const auto [input, hidden] = gates("rnn_cell", 1, x, h, weights);
  return with_relu ? relu(input + hidden) : tanh(input + hidden);
}

LstmState lstm_cell(const Tensor& x, const LstmState& state, const RecurrentWeights& weights) {
  const auto [input, hidden] = gates("lstm_cell", 4, x, state.h, weights);
  const Shape expected{x.size(0), weights.hidden.size(0) / 4};
  require(state.c.defined() && state.c.shape() == expected, "lstm_cell: expected c of shape ", expected, ", got ",
          state.c.defined() ? state.c.shape() : Shape{});
  const std::vector<Tensor> part = chunk(input + hidden, 4, 1);
  const auto peep = [&](const Tensor& gate, const Tensor& c, int64_t i) {
    return weights.peephole.defined() ? gate + c * select(weights.peephole, 0, i) : gate;
  };
  const Tensor i = sigmoid(peep(part[0], state.c, 0)), f = sigmoid(peep(part[1], state.c, 1));
  const Tensor c = f * state.c + i * tanh(part[2]), o = sigmoid(peep(part[3], c, 2)), h = o * tanh(c);
  return {weights.projection.defined() ? linear(h, weights.projection) : h, c};
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool reset_before) {
  const auto [input, hidden] = gates("gru_cell", 3, x, h, weights);
  const std::vector<Tensor> in = chunk(input, 3, 1), back = chunk(hidden, 3, 1);
  const Tensor r = sigmoid(in[0] + back[0]), z = sigmoid(in[1] + back[1]);
  Tensor candidate = r * back[2];
  if (reset_before) {
    const int64_t units = h.size(1);
    const Tensor bias = weights.hidden_bias.defined() ? narrow(weights.hidden_bias, 0, 2 * units, units) : Tensor{};
    candidate = linear(r * h, narrow(weights.hidden, 0, 2 * units, units), bias);
  }
  const Tensor n = tanh(in[2] + candidate);
  return n + z * (h - n);
}

}  // namespace scry
