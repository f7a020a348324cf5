// Recurrent modules: what they make of layers, directions, batches and states. Values of one layer are checked in the op table.

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

std::vector<std::string> names(const ModuleBase& module) {
  std::vector<std::string> out;
  for (const NamedTensor& p : module.named_parameters()) out.push_back(p.name + text(p.tensor.shape()));
  return out;
}

TEST(Recurrent, ParametersAreNamedAsInPyTorch) {
  EXPECT_EQ(names(LSTM(3, 5, {.num_layers = 2, .bidirectional = true})),
            (std::vector<std::string>{"weight_ih_l0[20, 3]", "weight_hh_l0[20, 5]", "bias_ih_l0[20]", "bias_hh_l0[20]", "weight_ih_l0_reverse[20, 3]",
                                      "weight_hh_l0_reverse[20, 5]", "bias_ih_l0_reverse[20]", "bias_hh_l0_reverse[20]", "weight_ih_l1[20, 10]",
                                      "weight_hh_l1[20, 5]", "bias_ih_l1[20]", "bias_hh_l1[20]", "weight_ih_l1_reverse[20, 10]",
                                      "weight_hh_l1_reverse[20, 5]", "bias_ih_l1_reverse[20]", "bias_hh_l1_reverse[20]"}));
  EXPECT_EQ(names(LSTM(3, 5, {.bias = false, .proj_size = 2})),
            (std::vector<std::string>{"weight_ih_l0[20, 3]", "weight_hh_l0[20, 2]", "weight_hr_l0[2, 5]"}));
  EXPECT_EQ(names(GRU(3, 5)), (std::vector<std::string>{"weight_ih_l0[15, 3]", "weight_hh_l0[15, 5]", "bias_ih_l0[15]", "bias_hh_l0[15]"}));
  EXPECT_EQ(names(RNNCell(3, 5)), (std::vector<std::string>{"weight_ih[5, 3]", "weight_hh[5, 5]", "bias_ih[5]", "bias_hh[5]"}));
  for (const Tensor& p : GRU(3, 4).parameters())
    for (const float v : p.to_vector<float>()) ASSERT_LE(std::abs(v), 0.5);
}

// Every module, as a function of one tensor, over the options.
template <class Net>
Tensor all_of(const Net& net, const Tensor& x, const Tensor& lengths = {}) {
  const auto [y, state] = net(x, {}, lengths);
  if constexpr (std::is_same_v<Net, LSTM>)
    return cat({flatten(y), flatten(state.h), flatten(state.c)});
  else
    return cat({flatten(y), flatten(state)});
}

template <class Net>
void check(const Net& net, const Shape& shape, const Tensor& lengths = {}) {
  check_gradients(net, shape, [&](const Net& n, const Tensor& x) { return all_of(n, x, lengths); });
}

TEST(Recurrent, GradientsOverOptions) {
  const Tensor lengths = Tensor::of(std::vector<int64_t>{3, 1}, {2});
  check(RNN(2, 2, {{.num_layers = 2, .dtype = f64}, true}), {3, 2, 2});
  check(LSTM(2, 2, {.num_layers = 2, .bidirectional = true, .dtype = f64}), {3, 2, 2}, lengths);
  check(LSTM(2, 3, {.bias = false, .batch_first = true, .proj_size = 2, .dtype = f64}), {2, 3, 2}, lengths);
  check(GRU(2, 2, {.num_layers = 2, .batch_first = true, .bidirectional = true, .dtype = f64}), {2, 3, 2});
  check(GRU(2, 3, {.dtype = f64}), {4, 2});
  struct Cells : Module<Cells> {
    Tensor forward(const Tensor& x) const {
      const LstmState state = lstm(x, lstm(x));
      return cat({state.h, state.c, gru(x, gru(x)), rnn(x, rnn(x))}, 1);
    }
    LSTMCell lstm = add("lstm", LSTMCell{2, 2, {.dtype = f64}});
    GRUCell gru = add("gru", GRUCell{2, 3, {.dtype = f64}});
    RNNCell rnn = add("rnn", RNNCell{2, 2, {.relu = true, .dtype = f64}});
  };
  check_gradients(Cells{}, {3, 2});
}

TEST(Recurrent, LayersAndDirectionsAreStacked) {
  const GRU net(3, 4, {.num_layers = 2, .bidirectional = true});
  const Tensor x = rand({5, 2, 3}), h = rand({4, 2, 4});
  const auto [y, last] = net(x, h);
  const auto run = [&](int64_t layer, bool reverse, const Tensor& in) {
    return gru(in, select(h, 0, 2 * layer + reverse), net.stack.weights(layer, reverse), {.reverse = reverse});
  };
  const Tensor middle = cat({run(0, false, x).output, run(0, true, x).output}, 2);
  EXPECT_TRUE(same_bits(y, cat({run(1, false, middle).output, run(1, true, middle).output}, 2)));
  EXPECT_TRUE(same_bits(last, stack({run(0, false, x).h, run(0, true, x).h, run(1, false, middle).h, run(1, true, middle).h})));
}

TEST(Recurrent, BatchFirstAndSingleSequences) {
  const LSTM net(3, 4), batch_first(3, 4, {.batch_first = true});
  batch_first.load(net);
  const Tensor x = rand({5, 2, 3});
  const auto [y, state] = net(x);
  const auto [z, other] = batch_first(transpose(x, 0, 1));
  EXPECT_TRUE(same_bits(y, transpose(z, 0, 1)));
  EXPECT_TRUE(same_bits(state.c, other.c));
  const auto [one, last] = net(select(x, 1, 1));
  EXPECT_EQ(one.shape(), (Shape{5, 4}));
  EXPECT_EQ(last.h.shape(), (Shape{1, 4}));
  expect_close(one, select(y, 1, 1), 1e-6);
}

// A padded batch gives what each of its sequences gives alone.
TEST(Recurrent, PaddingChangesNothing) {
  const LSTM net(3, 4, {.num_layers = 2, .bidirectional = true});
  const std::vector<int64_t> steps{2, 5, 1};
  const Tensor x = rand({5, 3, 3});
  const auto [y, state] = net(x, {}, Tensor::of(steps, {3}));
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t length = steps[static_cast<size_t>(b)];
    const auto [alone, own] = net(narrow(select(x, 1, b), 0, 0, length));
    expect_close(narrow(select(y, 1, b), 0, 0, length), alone, 1e-6);
    expect_close(select(state.h, 1, b), own.h, 1e-6);
    expect_close(select(state.c, 1, b), own.c, 1e-6);
    for (const float v : narrow(select(y, 1, b), 0, length, 5 - length).template to_vector<float>()) EXPECT_EQ(v, 0);
  }
}

TEST(Recurrent, CellsAreOneStepOfTheLayers) {
  const LSTM net(3, 4);
  const LSTMCell cell(3, 4);
  const RecurrentWeights& w = net.stack.weights(0);
  nn::load(cell, {{"weight_ih", w.input}, {"weight_hh", w.hidden}, {"bias_ih", w.input_bias}, {"bias_hh", w.hidden_bias}});
  const Tensor x = rand({3, 2, 3});
  LstmState state;
  for (int64_t t = 0; t < 3; ++t) state = cell(select(x, 0, t), state);
  expect_close(select(net(x).second.c, 0, 0), state.c, 1e-6);
  EXPECT_EQ(cell(rand({3})).h.shape(), (Shape{4}));
}

TEST(Recurrent, DropoutBetweenLayersInTrainingOnly) {
  const RNN net(3, 4, {{.num_layers = 2, .dropout = 0.5}});
  const Tensor x = rand({4, 2, 3});
  EXPECT_FALSE(same_bits(net(x).first, net(x).first));
  net.eval();
  EXPECT_TRUE(same_bits(net(x).first, net(x).first));
}

TEST(Recurrent, Errors) {
  const LSTM net(3, 4, {.num_layers = 2});
  EXPECT_FAILS(net(zeros({5, 2, 4})), "nn.LSTM 3 -> 4, 2 layers", "[T, B, 3]", "[5, 2, 4]");
  EXPECT_FAILS(net(zeros({3})), "nn.LSTM", "[3]");
  EXPECT_FAILS(net(zeros({5, 2, 3}, f64)), "nn.LSTM", "f64", "f32");
  EXPECT_FAILS(net(Tensor{}), "nn.LSTM", "expected an input");
  EXPECT_FAILS(net(zeros({5, 2, 3}), LstmState{zeros({1, 2, 4}), zeros({2, 2, 4})}), "states of shape [2, B, H]");
  EXPECT_FAILS(net(zeros({5, 2, 3}), LstmState{zeros({2, 3, 4}), {}}), "first state of shape [2, 4]");
  EXPECT_FAILS(net(zeros({5, 2, 3}), {}, full({2}, 6, i64)), "length of 6");
  EXPECT_FAILS(net(zeros({5, 2, 3}), {}, ones({2})), "i64 lengths");
  EXPECT_FAILS(GRU(3, 0), "nn.GRU", "3 -> 0");
  EXPECT_FAILS(GRU(3, 4, {.proj_size = 2}), "nn.GRU", "projection");
  EXPECT_FAILS(LSTM(3, 4, {.proj_size = 4}), "smaller");
  EXPECT_FAILS(RNN(3, 4, {{.dropout = 2}}), "nn.RNN", "dropout");
  EXPECT_FAILS(GRUCell(3, 4)(zeros({2, 2})), "GRUCell", "gru_cell", "[B, 3]");
}

}  // namespace
}  // namespace scry::nn
