// A training step in its steady state asks the system for no memory.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>

#include "support.hpp"

namespace scry {
namespace {

// Runs the step until the pool has what it needs, then counts.
void expect_no_system_calls(FunctionRef<void()> step) {
  for (int i = 0; i < 5; ++i) step();
  const memory::Statistics before = memory::statistics();
  for (int i = 0; i < 20; ++i) step();
  EXPECT_EQ(memory::statistics().system_calls, before.system_calls);
  EXPECT_EQ(memory::statistics().system_bytes, before.system_bytes);
}

// Plain gradient descent by hand.
void descend(const std::vector<Tensor>& weights) {
  const NoGrad off;
  for (const Tensor& w : weights) {
    Tensor target = w;
    float* values = target.mutable_data<float>();
    const std::vector<float> g = w.grad().to_vector<float>();
    for (size_t i = 0; i < g.size(); ++i) values[i] -= 1e-3f * g[i];
    w.requires_grad_(false);  // drops the gradient
    w.requires_grad_();
  }
}

Tensor weight(const Shape& shape) { return uniform(shape, -0.1, 0.1).requires_grad_(); }

TEST(SteadyState, Perceptron) {
  const std::vector<Tensor> w{weight({50, 40}), weight({50}), weight({10, 50}), weight({10})};
  const Tensor x = rand({32, 40}), labels = randint(0, 10, {32});
  expect_no_system_calls([&] {
    cross_entropy(linear(relu(linear(x, w[0], w[1])), w[2], w[3]), labels).backward();
    descend(w);
  });
}

TEST(SteadyState, ConvolutionalNetwork) {
  const std::vector<Tensor> w{weight({8, 1, 5, 5}), weight({8}), weight({8}), weight({8}), weight({10, 8 * 12 * 12})};
  const Tensor mean = zeros({8}), variance = ones({8}), x = rand({16, 1, 28, 28}), labels = randint(0, 10, {16});
  for (const int threads : {1, 2}) {
    const test::Threads some(threads);
    expect_no_system_calls([&] {
      Tensor h = batch_norm(conv2d(x, w[0], w[1]), {mean, variance}, w[2], w[3]);
      h = dropout(max_pool2d(relu(h), 2), 0.2);
      cross_entropy(linear(flatten(h, 1), w[4]), labels).backward();
      descend(w);
    });
  }
}

TEST(SteadyState, Sequences) {
  const std::vector<Tensor> w{weight({11, 12}), weight({4 * 16, 12}), weight({4 * 16, 16}), weight({4 * 16}), weight({3 * 16, 16}), weight({11, 16})};
  const Tensor index = randint(0, 11, {5, 40}), labels = randint(0, 11, {5 * 40});
  for (const int threads : {1, 2}) {
    const test::Threads some(threads);
    expect_no_system_calls([&] {
      const Tensor h = lstm(transpose(embedding(index, w[0]), 0, 1), {}, {w[1], w[2], w[3]}).output;
      const Tensor y = self_attention(linear(transpose(h, 0, 1), w[4]), 2, {.causal = true, .dropout = 0.1});
      cross_entropy(flatten(linear(y, w[5]), 0, 1), labels, {.label_smoothing = 0.1}).backward();
      descend(w);
    });
  }
}

TEST(SteadyState, SecondDerivatives) {
  const Tensor x = rand({100}, f64).requires_grad_();
  expect_no_system_calls([&] {
    const Tensor g = grad(sum(exp(x) * tanh(x)), x, {.create_graph = true});
    grad(sum(g * g), x);
  });
}

}  // namespace
}  // namespace scry
