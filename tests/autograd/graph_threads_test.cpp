// Threads that each build and differentiate graphs of their own; what they share is only read.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <thread>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

constexpr int rounds = 60;

void in_two_threads(FunctionRef<void(int)> body) {
  std::thread other([&] { body(1); });
  body(0);
  other.join();
}

struct Weights {
  Tensor w1, b1, w2;
  Weights() {
    Generator generator(1);
    w1 = uniform({16, 8}, -1, 1, f64, generator).requires_grad_();
    b1 = uniform({16}, -1, 1, f64, generator).requires_grad_();
    w2 = uniform({3, 16}, -1, 1, f64, generator).requires_grad_();
  }
  std::vector<Tensor> all() const { return {w1, b1, w2}; }
  Tensor loss(const Tensor& x) const { return sum(tanh(linear(relu(linear(x, w1, b1)), w2))); }
};

Tensor seeded_input(int seed) {
  Generator generator(static_cast<uint64_t>(seed) + 10);
  return uniform({5, 8}, -1, 1, f64, generator);
}

TEST(GraphThreads, SharedLeavesAreReadByGrad) {
  const Weights weights;
  std::vector<std::vector<Tensor>> expected;
  for (int seed = 0; seed < 2; ++seed) {
    const Tensor loss = weights.loss(seeded_input(seed));
    expected.push_back(grad(std::span(&loss, 1), weights.all()));
  }
  std::atomic<int> wrong{0};
  in_two_threads([&](int id) {
    for (int round = 0; round < rounds; ++round) {
      const Tensor loss = weights.loss(seeded_input(id));
      const std::vector<Tensor> got = grad(std::span(&loss, 1), weights.all());
      for (size_t i = 0; i < got.size(); ++i) wrong += !same_bits(got[i], expected[static_cast<size_t>(id)][i]);
    }
  });
  EXPECT_EQ(wrong, 0);
  for (const Tensor& w : weights.all()) EXPECT_FALSE(w.grad().defined());
}

TEST(GraphThreads, SharedLeavesMayHaveHooks) {
  const Weights weights;
  for (const Tensor& w : weights.all()) register_hook(w, [](const Tensor& g) { return g * 2; });
  std::atomic<int> wrong{0};
  in_two_threads([&](int id) {
    for (int round = 0; round < rounds; ++round) {
      const auto loss = [&](const Tensor& x) { return weights.loss(x); };
      const std::vector<Tensor> plain = grad(loss(seeded_input(id)), weights.all()), again = grad(checkpoint(loss, seeded_input(id)), weights.all());
      for (size_t i = 0; i < plain.size(); ++i) wrong += !same_bits(plain[i], again[i]);
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(GraphThreads, OwnLeavesAccumulateApart) {
  std::vector<Tensor> totals(2);
  in_two_threads([&](int id) {
    const Weights weights;
    for (int round = 0; round < rounds; ++round) weights.loss(seeded_input(id)).backward();
    totals[static_cast<size_t>(id)] = weights.w1.grad();
  });
  for (int id = 0; id < 2; ++id) {
    const Weights weights;
    for (int round = 0; round < rounds; ++round) weights.loss(seeded_input(id)).backward();
    EXPECT_TRUE(same_bits(weights.w1.grad(), totals[static_cast<size_t>(id)]));
  }
}

TEST(GraphThreads, EachHasItsOwnMode) {
  const NoGrad off;
  bool elsewhere = false;
  std::thread([&] { elsewhere = grad_enabled(); }).join();
  EXPECT_TRUE(elsewhere);
  EXPECT_FALSE(grad_enabled());
}

// A graph that one thread makes, and another goes on with and runs.
TEST(GraphThreads, AGraphMayMove) {
  const Tensor x = scalar(3, f64).requires_grad_();
  Tensor h;
  std::thread([&] {
    h = x;
    for (int i = 0; i < 1000; ++i) h = h * 1;
  }).join();
  const Tensor y = h * h + h * x;
  std::thread([&] { y.backward(); }).join();
  EXPECT_EQ(x.grad().item(), 12);
}

TEST(GraphThreads, LargeOpsInBothThreads) {
  const Tensor x = ones({300, 300}).requires_grad_();
  std::atomic<int> wrong{0};
  in_two_threads([&](int) {
    for (int round = 0; round < 5; ++round) wrong += grad(sum(matmul(x, x) * 2), x).to_vector<float>() != std::vector<float>(90'000, 1200);
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace scry
