// What is computed again instead of being kept gives the same bits.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/checkpoint.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/dropout.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/normalization.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/random.hpp>
#include <cmath>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

struct Block {
  Tensor weight;
  explicit Block(uint64_t seed) {
    Generator generator(seed);
    weight = uniform({8, 8}, -1, 1, f32, generator).requires_grad_();
  }
  Tensor operator()(const Tensor& x) const { return dropout(tanh(matmul(x, weight)), 0.5) + x; }
};

struct Result {
  Tensor y, x_gradient, first, second;
};

Result run(bool checkpointed) {
  manual_seed(5);
  const Block a(1), b(2);
  const Tensor x = uniform({4, 8}, -1, 1).requires_grad_();
  const auto blocks = [&](const Tensor& in) {
    if (!checkpointed) return b(a(in));
    return checkpoint(b, checkpoint(a, in));
  };
  Tensor y = blocks(x);
  y = y + dropout(y, 0.5);  // the generator goes on as if nothing had been computed twice
  sum(y * y).backward();
  EXPECT_EQ(default_generator().counter(), (4 * 8 + 3 * 4 * 8) / 4);
  return {y, x.grad(), a.weight.grad(), b.weight.grad()};
}

TEST(Checkpoint, GivesTheSameBits) {
  const Result plain = run(false), again = run(true);
  EXPECT_TRUE(same_bits(plain.y, again.y));
  EXPECT_TRUE(same_bits(plain.x_gradient, again.x_gradient));
  EXPECT_TRUE(same_bits(plain.first, again.first));
  EXPECT_TRUE(same_bits(plain.second, again.second));
}

TEST(Checkpoint, KeepsNothingOnTheWay) {
  const Tensor x = ones({1000}, f64).requires_grad_();
  int calls = 0;
  std::vector<Ref<Storage>> made;
  const auto body = [&](const Tensor& in) {
    ++calls;
    const Tensor h = exp(in), y = h * h;
    made.push_back(h.node().storage);
    return y;
  };
  const Tensor y = checkpoint(body, x);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_TRUE(made[0]->unique());  // nobody else holds h
  EXPECT_EQ(calls, 1);
  sum(y).backward();
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(made[1]->unique());
  EXPECT_NEAR(x.grad().to_vector<double>()[0], 2 * std::exp(2.0), 1e-12);
}

TEST(Checkpoint, ServesGradAndSecondDerivatives) {
  const Tensor x = Tensor::of<double>({0.5, 2}, {2}).requires_grad_(), w = Tensor::of<double>({3, 4}, {2}).requires_grad_();
  const Tensor unused = ones({1}, f64).requires_grad_();
  const auto body = [&](const Tensor& in) { return in * in * in * w; };
  const Tensor y = sum(checkpoint(body, x));
  const std::vector<Tensor> g = grad(y, {x, w, unused}, {.create_graph = true, .allow_unused = true});
  EXPECT_EQ(g[0].to_vector<double>(), (std::vector<double>{3 * 0.25 * 3, 3 * 4 * 4.0}));
  EXPECT_EQ(g[1].to_vector<double>(), (std::vector<double>{0.125, 8}));
  EXPECT_FALSE(g[2].defined());
  EXPECT_EQ(grad(sum(g[0]), x).to_vector<double>(), (std::vector<double>{6 * 0.5 * 3, 6 * 2 * 4.0}));
  EXPECT_FALSE(x.grad().defined());
}

TEST(Checkpoint, OnlyWeightsNeedGradients) {
  const Tensor x = full({2}, 3, f64), w = ones({2}, f64).requires_grad_();
  sum(checkpoint([&](const Tensor& in) { return in * w; }, x)).backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{3, 3}));
}

TEST(Checkpoint, TakesAndReturnsSeveral) {
  const Tensor a = Tensor::of<double>({1, 2}, {2}).requires_grad_(), b = Tensor::of<double>({5}, {1}).requires_grad_();
  const auto body = [](const Tensor& x, const Tensor& y) { return std::vector<Tensor>{x * y, sum(x) * y}; };
  const std::vector<Tensor> out = checkpoint(body, a, b);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[1].shape(), (Shape{1}));
  (sum(out[0]) + sum(out[1]) * 10).backward();
  EXPECT_EQ(a.grad().to_vector<double>(), (std::vector<double>{55, 55}));
  EXPECT_EQ(b.grad().to_vector<double>(), (std::vector<double>{33}));
}

TEST(Checkpoint, NestsAndChains) {
  const Tensor x = full({1}, 1.01, f64).requires_grad_();
  const auto square = [](const Tensor& in) { return in * in; };
  const auto fourth = [&](const Tensor& in) { return checkpoint(square, checkpoint(square, in)); };
  checkpoint(fourth, x).backward();
  EXPECT_NEAR(x.grad().item(), 4 * std::pow(1.01, 3), 1e-14);
  const Tensor z = full({1}, 1, f64).requires_grad_();
  Tensor h = z;
  for (int i = 0; i < 20000; ++i) h = checkpoint([](const Tensor& in) { return in * 1; }, h);  // no recursion
  h.backward();
  EXPECT_EQ(z.grad().item(), 1);
}

TEST(Checkpoint, RetainedGraphsAndErrors) {
  const Tensor x = full({1}, 3, f64).requires_grad_();
  const Tensor y = checkpoint([](const Tensor& in) { return in * in; }, x);
  y.backward({}, true);
  y.backward();
  EXPECT_EQ(x.grad().item(), 12);
  EXPECT_FAILS(y.backward(), "checkpoint", "freed");
  int calls = 0;
  const Tensor z = checkpoint([&](const Tensor& in) { return ++calls == 1 ? in * 1 : cast(in, f32); }, x);
  EXPECT_FAILS(z.backward(), "checkpoint", "the same each time");
  const NoGrad off;
  EXPECT_FALSE(checkpoint([](const Tensor& in) { return in * in; }, x).requires_grad());
}

TEST(Checkpoint, RunningStatisticsMoveOnce) {
  const Tensor x = uniform({6, 2}, -1, 1, f64).requires_grad_();
  Tensor means[2];
  for (const bool checkpointed : {false, true}) {
    const Tensor mean = zeros({2}, f64), variance = ones({2}, f64);
    const auto body = [&](const Tensor& in) { return batch_norm(in, {mean, variance}, {}, {}, {.training = true}); };
    const Tensor y = checkpointed ? checkpoint(body, x) : body(x);
    sum(y * y * y).backward();
    means[checkpointed] = mean;
  }
  EXPECT_TRUE(same_bits(means[0], means[1]));
}

TEST(Checkpoint, TellsWhenItComputesAgain) {
  const Tensor x = full({1}, 3, f64).requires_grad_();
  std::vector<bool> seen;
  checkpoint(
      [&](const Tensor& in) {
        seen.push_back(autograd::recomputing());
        return in * in;
      },
      x)
      .backward();
  EXPECT_EQ(seen, (std::vector<bool>{false, true}));
  EXPECT_FALSE(autograd::recomputing());
}

}  // namespace
}  // namespace scry
