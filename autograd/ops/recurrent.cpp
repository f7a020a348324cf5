#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/recurrent.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/matmul.hpp>
#include <scry/core/kernels/recurrent.hpp>
#include <algorithm>

namespace scry {
namespace {

using autograd::Gradients;
using kernels::Cell;
using kernels::Recurrence;

// What a layer does besides its kernel.
struct Layer {
  const char* op;
  Recurrence steps;
  bool reset_before = false;
};

LstmState step(const Layer& layer, const Tensor& x, const LstmState& state, const RecurrentWeights& weights) {
  if (layer.steps.cell == Cell::lstm) return lstm_cell(x, state, weights);
  if (layer.steps.cell == Cell::gru) return {gru_cell(x, state.h, weights, layer.reset_before), {}};
  return {rnn_cell(x, state.h, weights, layer.steps.cell == Cell::relu), {}};
}

// The layer out of differentiable ops. Returns every h, the first one included, as kernels::recurrent, [T + 1, B, …], and the last c.
LstmState composed(const Layer& layer, const Tensor& x, LstmState state, const RecurrentWeights& weights) {
  const int64_t units = weights.hidden.size(0) / kernels::gates_of(layer.steps.cell);
  if (!state.h.defined()) state.h = zeros({x.size(1), weights.hidden.size(1)}, x.dtype());
  if (layer.steps.cell == Cell::lstm && !state.c.defined()) state.c = zeros({x.size(1), units}, x.dtype());
  std::vector<Tensor> states{state.h};
  for (int64_t s = 0; s < x.size(0); ++s) {
    const int64_t t = layer.steps.reverse ? x.size(0) - 1 - s : s;
    LstmState next = step(layer, select(x, 0, t), state, weights);
    if (layer.steps.lengths.defined()) {
      const Tensor active = unsqueeze(gt(layer.steps.lengths, static_cast<double>(t)), 1);
      next.h = where(active, next.h, state.h);
      if (next.c.defined()) next.c = where(active, next.c, state.c);
    }
    states.push_back(next.h);
    state = next;
  }
  if (layer.steps.reverse) std::reverse(states.begin(), states.end());
  return {stack(states), state.c};
}

Tensor packed(const LstmState& states) { return states.c.defined() ? cat({states.h, unsqueeze(states.c, 0)}) : states.h; }

kernels::RecurrentParameters parameters(const RecurrentWeights& weights) {
  return {weights.input, weights.hidden, weights.input_bias, weights.hidden_bias};
}

void recurrent_rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& h, const Tensor& c, const RecurrentWeights& weights,
                    const kernels::RecurrentStates& saved, const Layer& layer) {
  if (grad_enabled()) return gradients.go_on_from(packed(composed(layer, x, {h, c}, weights)), g);
  kernels::RecurrentGradients parts = kernels::recurrent_gradients(
      layer.steps, g, saved, parameters(weights), {gradients.wanted(0), gradients.wanted(1) || gradients.wanted(2)}, gradients.last());
  const Tensor input = reshape(parts.input, {-1, parts.input.size(2)}), hidden = reshape(parts.hidden, {-1, parts.hidden.size(2)});
  gradients.add(0, std::move(parts.x));
  gradients.add(1, std::move(parts.h));
  gradients.add(2, std::move(parts.c));
  const auto product = [&](size_t i, const Tensor& of, const Tensor& with) {
    if (!gradients.wanted(i)) return;
    const Tensor place = gradients.place(i);
    kernels::matmul_into(place, transpose(of, 0, 1), reshape(with, {-1, with.size(2)}));
    gradients.add(i, place);
  };
  product(3, input, x);
  product(4, hidden, narrow(saved.states, 0, layer.steps.reverse ? 1 : 0, x.size(0)));
  const Tensor bias = gradients.wanted(5) ? sum(input, 0) : Tensor();
  if (bias.defined()) gradients.add(5, bias);
  if (gradients.wanted(6)) gradients.add(6, bias.defined() && layer.steps.cell != Cell::gru ? bias : sum(hidden, 0));
}

// The same in one node.
Tensor fused_layer(const Layer& layer, const Tensor& x, const LstmState& state, const RecurrentWeights& weights) {
  const auto& [w, u, b, b2, projection, peephole] = weights;
  const autograd::Recorder recorder = autograd::record(layer.op);
  bool keep = false;
  for (const Tensor* t : {&x, &state.h, &state.c, &w, &u, &b, &b2}) keep |= grad_enabled() && t->defined() && t->requires_grad();
  const kernels::RecurrentStates run = kernels::recurrent(layer.steps, x, parameters(weights), state.h, state.c, keep);
  const auto back = [](const Tensor& g, Gradients& gradients, const Tensor& in, const Tensor& h, const Tensor& c, const Tensor& wi, const Tensor& wh,
                       const Tensor& bi, const Tensor& bh, const Tensor& states, const Tensor& gates, const Tensor& extra, const Layer& which) {
    recurrent_rule(g, gradients, in, h, c, {wi, wh, bi, bh}, {states, gates, extra}, which);
  };
  return recorder.joint(run.states, {x, state.h, state.c, w, u, b, b2}, back, x, state.h, state.c, w, u, b, b2, autograd::output, run.gates,
                        run.extra, layer);
}

void check(const Layer& layer, const Tensor& x, const RecurrentWeights& weights) {
  const char* op = layer.op;
  const int64_t gates = kernels::gates_of(layer.steps.cell);
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, 3);
  autograd::require_rank(op, "the input's weight", weights.input, 2);
  autograd::require_rank(op, "the state's weight", weights.hidden, 2);
  const int64_t rows = weights.hidden.size(0), units = rows / gates, seen = weights.projection.defined() ? weights.projection.size(0) : units;
  require(rows % gates == 0 && weights.input.size(0) == rows && weights.hidden.size(1) == seen, op, ": weights of shapes ", weights.input.shape(),
          " and ", weights.hidden.shape(), " don't make ", gates, " gates of the same units");
  require(x.size(2) == weights.input.size(1), op, ": expected an input of shape [T, B, ", weights.input.size(1), "], got ", x.shape());
  const std::pair<const Tensor*, Shape> others[] = {
      {&weights.input_bias, {rows}}, {&weights.hidden_bias, {rows}}, {&weights.projection, {seen, units}}, {&weights.peephole, {3, units}}};
  for (const auto& [weight, shape] : others)
    require(!weight->defined() || weight->shape() == shape, op, ": expected a bias, projection or peephole of shape ", shape, ", got ",
            weight->defined() ? weight->shape() : shape);
  for (const Tensor* t : {&weights.input, &weights.hidden, &weights.input_bias, &weights.hidden_bias, &weights.projection, &weights.peephole})
    if (t->defined()) autograd::require_same_dtype(op, x, *t);
}

void check_first(const char* op, const Tensor& state, const Tensor& x, int64_t units) {
  if (!state.defined()) return;
  autograd::require_same_dtype(op, x, state);
  const Shape shape{x.size(1), units};
  require(state.shape() == shape, op, ": expected a first state of shape ", shape, ", got ", state.shape());
}

RecurrentResult run(Layer layer, const Tensor& x, const LstmState& first, const RecurrentWeights& weights) {
  check(layer, x, weights);
  const bool lstm = layer.steps.cell == Cell::lstm;
  const int64_t steps = x.size(0);
  check_first(layer.op, first.h, x, weights.hidden.size(1));
  if (lstm) check_first(layer.op, first.c, x, weights.hidden.size(0) / kernels::gates_of(Cell::lstm));
  if (Tensor& lengths = layer.steps.lengths; lengths.defined()) {
    require(lengths.dtype() == i64 && lengths.shape() == Shape{x.size(1)}, layer.op, ": expected i64 lengths of shape [", x.size(1), "], got ",
            lengths.dtype(), " of shape ", lengths.shape());
    lengths = kernels::contiguous(lengths);
    for (const int64_t length : lengths.to_vector<int64_t>())
      require(length >= 0 && length <= steps, layer.op, ": a length of ", length, " doesn't fit an input of shape ", x.shape());
  }
  Tensor states, c;
  if (weights.projection.defined() || weights.peephole.defined() || layer.reset_before) {
    const LstmState all = composed(layer, x, first, weights);
    states = all.h;
    c = all.c;
  } else {
    states = fused_layer(layer, x, first, weights);
    if (lstm) c = select(states, 0, steps + 1);
  }
  const bool reverse = layer.steps.reverse;
  Tensor output = narrow(states, 0, reverse ? 0 : 1, steps);
  if (layer.steps.lengths.defined()) {
    const Tensor past = le(unsqueeze(layer.steps.lengths, 0), unsqueeze(arange(steps), 1));
    output = masked_fill(output, unsqueeze(past, 2), 0);
  }
  return {output, select(states, 0, reverse ? 0 : steps), c};
}

Layer layer_of(const char* op, Cell cell, const RecurrentOptions& options) {
  return {op, {cell, options.reverse, options.lengths}, options.reset_before};
}

}  // namespace

RecurrentResult rnn(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool relu, const RecurrentOptions& options) {
  return run(layer_of("rnn", relu ? Cell::relu : Cell::tanh, options), x, {h, {}}, weights);
}

RecurrentResult lstm(const Tensor& x, const LstmState& state, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return run(layer_of("lstm", Cell::lstm, options), x, state, weights);
}

RecurrentResult gru(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, const RecurrentOptions& options) {
  return run(layer_of("gru", Cell::gru, options), x, {h, {}}, weights);
}

}  // namespace scry
