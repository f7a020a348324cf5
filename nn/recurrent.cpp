#include <scry/autograd/ops/dropout.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/creation.hpp>
#include <scry/nn/init.hpp>
#include <scry/nn/recurrent.hpp>

namespace scry::nn {
namespace {

using Declare = RecurrentStack::Declare;

RecurrentWeights make_weights(int64_t gates, int64_t inputs, int64_t units, int64_t projection, bool bias, DType dtype, const std::string& ending,
                              const Declare& declare) {
  const int64_t seen = projection > 0 ? projection : units;
  const auto make = [&](const char* name, const Shape& shape) { return declare(name + ending, init::uniform_fan_in(shape, units, dtype)); };
  RecurrentWeights out;
  out.input = make("weight_ih", {gates * units, inputs});
  out.hidden = make("weight_hh", {gates * units, seen});
  if (bias) out.input_bias = make("bias_ih", {gates * units});
  if (bias) out.hidden_bias = make("bias_hh", {gates * units});
  if (projection > 0) out.projection = make("weight_hr", {projection, units});
  return out;
}

void check_sizes(const char* kind, int64_t inputs, int64_t units) {
  require(inputs >= 1 && units >= 1, "nn.", kind, ": expected at least one input and one unit, got ", inputs, " -> ", units);
}

// The same for one sequence or sample, as a batch of one.
Tensor batched(const Tensor& x, bool single, int axis) { return single && x.defined() ? unsqueeze(x, axis) : x; }
Tensor unbatched(const Tensor& x, bool single, int axis) { return single && x.defined() ? squeeze(x, axis) : x; }

Tensor part_of(const Tensor& states, size_t i) { return states.defined() ? select(states, 0, static_cast<int64_t>(i)) : Tensor{}; }

}  // namespace

RecurrentStack::RecurrentStack(const char* kind, int64_t gates, int64_t inputs, int64_t units, const LSTMOptions& options, const Declare& declare)
    : kind_(kind), inputs_(inputs), units_(units), options_(options) {
  check_sizes(kind, inputs, units);
  require(options.num_layers >= 1, "nn.", kind, ": expected at least one layer, got ", options.num_layers);
  require(options.dropout >= 0 && options.dropout <= 1, "nn.", kind, ": expected a dropout from 0 to 1, got ", options.dropout);
  require(options.proj_size >= 0 && options.proj_size < units, "nn.", kind, ": a projection must be smaller than the ", units, " units, got ",
          options.proj_size);
  require(options.proj_size == 0 || gates == 4, "nn.", kind, ": only an LSTM has a projection");
  const int64_t directions = options.bidirectional ? 2 : 1, seen = options.proj_size > 0 ? options.proj_size : units;
  for (int64_t layer = 0; layer < options.num_layers; ++layer)
    for (int64_t direction = 0; direction < directions; ++direction)
      weights_.push_back(make_weights(gates, layer == 0 ? inputs : seen * directions, units, options.proj_size, options.bias, options.dtype,
                                      text("_l", layer, direction ? "_reverse" : ""), declare));
}

const RecurrentWeights& RecurrentStack::weights(int64_t layer, bool reverse) const {
  const int64_t index = layer * (options_.bidirectional ? 2 : 1) + reverse;
  require(layer >= 0 && layer < options_.num_layers && (!reverse || options_.bidirectional), "nn.", kind_, ": there is no layer ", layer,
          reverse ? " in reverse" : "");
  return weights_[static_cast<size_t>(index)];
}

RecurrentResult RecurrentStack::run(const Tensor& x, const LstmState& state, const Tensor& lengths, bool training, const Step& step) const {
  require(x.defined() && (x.rank() == 2 || x.rank() == 3) && x.size(-1) == inputs_, "expected an input of shape ",
          options_.batch_first ? "[B, T, " : "[T, B, ", inputs_, "] or [T, ", inputs_, "]", x.defined() ? text(", got ", x.shape()) : "");
  const bool single = x.rank() == 2, swap = options_.batch_first && !single;
  const size_t directions = options_.bidirectional ? 2 : 1;
  const LstmState first{batched(state.h, single, 1), batched(state.c, single, 1)};
  for (const Tensor* s : {&first.h, &first.c})
    require(!s->defined() || (s->rank() == 3 && s->size(0) == static_cast<int64_t>(weights_.size())), "expected states of shape [", weights_.size(),
            ", B, H], got ", s->defined() ? s->shape() : Shape{});
  Tensor in = swap ? transpose(x, 0, 1) : batched(x, single, 1);
  std::vector<Tensor> hidden, cells;
  for (size_t i = 0; i < weights_.size(); i += directions) {
    std::vector<Tensor> outputs;
    for (size_t d = 0; d < directions; ++d) {
      const RecurrentResult result =
          step(in, {part_of(first.h, i + d), part_of(first.c, i + d)}, weights_[i + d], {.reverse = d == 1, .lengths = lengths});
      outputs.push_back(result.output);
      hidden.push_back(result.h);
      if (result.c.defined()) cells.push_back(result.c);
    }
    in = directions == 1 ? outputs[0] : cat(outputs, 2);
    if (training && options_.dropout > 0 && i + directions < weights_.size()) in = dropout(in, options_.dropout);
  }
  const auto joined = [&](const std::vector<Tensor>& parts) {
    if (parts.empty()) return Tensor{};
    return unbatched(parts.size() == 1 ? unsqueeze(parts[0], 0) : stack(parts), single, 1);
  };
  return {swap ? transpose(in, 0, 1) : unbatched(in, single, 1), joined(hidden), joined(cells)};
}

std::string RecurrentStack::describe() const {
  std::string out = text("nn.", kind_, " ", inputs_, " -> ", units_);
  if (options_.num_layers > 1) out += text(", ", options_.num_layers, " layers");
  return options_.bidirectional ? out + ", bidirectional" : out;
}

RNN::RNN(int64_t inputs, int64_t units, const RNNOptions& given)
    : options(given),
      stack("RNN", 1, inputs, units, given, [this](const std::string& name, const Tensor& value) { return parameter(name, value); }) {}

std::pair<Tensor, Tensor> RNN::forward(const Tensor& x, const Tensor& h, const Tensor& lengths) const {
  const RecurrentResult result =
      stack.run(x, {h, {}}, lengths, training(),
                [this](const auto& in, const auto& state, const auto& w, const auto& how) { return rnn(in, state.h, w, options.relu, how); });
  return {result.output, result.h};
}

LSTM::LSTM(int64_t inputs, int64_t units, const LSTMOptions& options)
    : stack("LSTM", 4, inputs, units, options, [this](const std::string& name, const Tensor& value) { return parameter(name, value); }) {}

std::pair<Tensor, LstmState> LSTM::forward(const Tensor& x, const LstmState& state, const Tensor& lengths) const {
  const RecurrentResult result = stack.run(x, state, lengths, training(), lstm);
  return {result.output, {result.h, result.c}};
}

GRU::GRU(int64_t inputs, int64_t units, const GRUOptions& options)
    : stack("GRU", 3, inputs, units, options, [this](const std::string& name, const Tensor& value) { return parameter(name, value); }) {}

std::pair<Tensor, Tensor> GRU::forward(const Tensor& x, const Tensor& h, const Tensor& lengths) const {
  const RecurrentResult result = stack.run(
      x, {h, {}}, lengths, training(), [](const auto& in, const auto& state, const auto& w, const auto& how) { return gru(in, state.h, w, how); });
  return {result.output, result.h};
}

namespace {

// A state of the right shape for x, zeros where it isn't given.
Tensor state_for(const Tensor& x, const Tensor& given, const RecurrentWeights& weights) {
  require(x.defined() && (x.rank() == 1 || x.rank() == 2), "expected an input of shape [B, ", weights.input.size(1), "] or [", weights.input.size(1),
          "]", x.defined() ? text(", got ", x.shape()) : "");
  const bool single = x.rank() == 1;
  return given.defined() ? batched(given, single, 0) : zeros({single ? 1 : x.size(0), weights.hidden.size(1)}, x.dtype());
}

}  // namespace

RNNCell::RNNCell(int64_t inputs, int64_t units, const CellOptions& given) : options(given) {
  check_sizes("RNNCell", inputs, units);
  weights = make_weights(1, inputs, units, 0, options.bias, options.dtype, "",
                         [this](const auto& name, const auto& value) { return parameter(name, value); });
}
Tensor RNNCell::forward(const Tensor& x, const Tensor& h) const {
  const Tensor state = state_for(x, h, weights);
  return unbatched(rnn_cell(batched(x, x.rank() == 1, 0), state, weights, options.relu), x.rank() == 1, 0);
}

LSTMCell::LSTMCell(int64_t inputs, int64_t units, const CellOptions& options) {
  check_sizes("LSTMCell", inputs, units);
  weights = make_weights(4, inputs, units, 0, options.bias, options.dtype, "",
                         [this](const auto& name, const auto& value) { return parameter(name, value); });
}
LstmState LSTMCell::forward(const Tensor& x, const LstmState& state) const {
  const LstmState first{state_for(x, state.h, weights), state_for(x, state.c, weights)};
  const bool single = x.rank() == 1;
  const LstmState next = lstm_cell(batched(x, single, 0), first, weights);
  return {unbatched(next.h, single, 0), unbatched(next.c, single, 0)};
}

GRUCell::GRUCell(int64_t inputs, int64_t units, const CellOptions& options) {
  check_sizes("GRUCell", inputs, units);
  weights = make_weights(3, inputs, units, 0, options.bias, options.dtype, "",
                         [this](const auto& name, const auto& value) { return parameter(name, value); });
}
Tensor GRUCell::forward(const Tensor& x, const Tensor& h) const {
  const Tensor state = state_for(x, h, weights);
  return unbatched(gru_cell(batched(x, x.rank() == 1, 0), state, weights), x.rank() == 1, 0);
}

}  // namespace scry::nn
