#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;
using Values = std::vector<double>;

Tensor leaf(const Values& values) { return Tensor::of(values, {static_cast<int64_t>(values.size())}).requires_grad_(); }
Tensor constant(const Values& values) { return Tensor::of(values, {static_cast<int64_t>(values.size())}); }
Values gradient(const Tensor& x) { return x.grad().defined() ? x.grad().to_vector<double>() : Values{}; }

TEST(Backward, FillsTheLeaves) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4}), unused = leaf({5});
  EXPECT_FALSE(x.grad().defined());
  sum(x * w).backward();
  EXPECT_EQ(gradient(x), (Values{3, 4}));
  EXPECT_EQ(gradient(w), (Values{1, 2}));
  EXPECT_FALSE(unused.grad().defined());  // none is not the same as a zero one
  EXPECT_FALSE(x.grad().requires_grad());
}

TEST(Backward, Accumulates) {
  const Tensor x = leaf({1, 2});
  sum(x * 3).backward();
  EXPECT_EQ(gradient(x), (Values{3, 3}));
  sum(x * x).backward();
  EXPECT_EQ(gradient(x), (Values{5, 7}));
}

TEST(Backward, TheFirstGradientIsNotSharedWithOthers) {
  const Tensor x = leaf({1, 2}), y = leaf({3, 4}), seed = constant({10, 20});
  (x + y).backward(seed);  // both get the seed itself
  EXPECT_EQ(gradient(x), (Values{10, 20}));
  (x * 1).backward(constant({1, 1}));
  EXPECT_EQ(gradient(x), (Values{11, 21}));
  EXPECT_EQ(gradient(y), (Values{10, 20}));
  EXPECT_EQ(seed.to_vector<double>(), (Values{10, 20}));
  x.backward(seed);  // a leaf itself
  EXPECT_EQ(gradient(x), (Values{21, 41}));
  EXPECT_EQ(seed.to_vector<double>(), (Values{10, 20}));
}

TEST(Backward, AnExpandedGradientIsWrittenOut) {
  const Tensor x = leaf({1, 2, 3});
  sum(x).backward();
  ASSERT_TRUE(x.grad().is_contiguous());
  sum(x * 2).backward();
  EXPECT_EQ(gradient(x), (Values{3, 3, 3}));
}

TEST(Backward, SharedSubexpressionsAndDiamonds) {
  const Tensor x = leaf({2});
  const Tensor a = x * x, b = a * 3, c = a + 1;
  (b * c).backward();  // 3 x² (x² + 1)
  EXPECT_EQ(gradient(x), (Values{12 * 8 + 6 * 2}));
  const Tensor y = leaf({1.5});
  Tensor h = y;
  for (int i = 0; i < 40; ++i) h = h + h;  // 2^40 paths, each node once
  h.backward();
  EXPECT_EQ(gradient(y), (Values{0x1p40}));
  const Tensor z = leaf({3});
  (z * z * z).backward();
  EXPECT_EQ(gradient(z), (Values{27}));
}

TEST(Backward, AShortcutPastADeepPathWaits) {
  const Tensor x = leaf({2});
  const Tensor base = x * 1;
  Tensor deep = base;
  for (int i = 0; i < 10; ++i) deep = deep * 2;
  (deep * base).backward();  // 1024 x²
  EXPECT_EQ(gradient(x), (Values{4096}));
}

TEST(Backward, SeveralOutputs) {
  const Tensor x = leaf({2, 3});
  const Tensor y = x * x, z = sum(x);
  const Tensor outputs[] = {y, z, y}, gradients[] = {constant({1, 10}), {}, constant({100, 1000})};
  backward(outputs, gradients);
  EXPECT_EQ(gradient(x), (Values{1 + 101 * 4, 1 + 1010 * 6}));
  const Tensor one_gradient[] = {constant({1, 1})};
  EXPECT_FAILS(backward(outputs, one_gradient), "backward", "3 tensors", "1 gradients");
}

TEST(Backward, GradientsHaveTheirLeafsTypeAndShape) {
  const Tensor x = ones({2, 1}).requires_grad_(), y = ones({3}, f64).requires_grad_();
  const Tensor z = x * y;
  EXPECT_EQ(z.dtype(), f64);
  z.backward(ones({2, 3}, f64));
  EXPECT_EQ(x.grad().dtype(), f32);
  EXPECT_EQ(x.grad().shape(), (Shape{2, 1}));
  EXPECT_EQ(gradient(x), (Values{3, 3}));
  EXPECT_EQ(y.grad().dtype(), f64);
  EXPECT_EQ(gradient(y), (Values{2, 2, 2}));
}

TEST(Backward, NeedsAGradientUnlessOneElement) {
  const Tensor x = leaf({1, 2});
  EXPECT_FAILS((x * 2).backward(), "backward", "[2]", "sum()");
  EXPECT_FAILS((x * 2).backward(constant({1, 2, 3})), "backward", "[3]", "[2]");
  EXPECT_FALSE(x.grad().defined());
  reshape(sum(x), {1, 1}).backward();
  EXPECT_EQ(gradient(x), (Values{1, 1}));
}

TEST(Backward, OffTheTapeIsAnError) {
  EXPECT_FAILS(scalar(1).backward(), "backward", "not on the tape", "requires_grad_");
  EXPECT_FAILS(leaf({1}).detach().backward(), "not on the tape");
  EXPECT_FAILS(Tensor().backward(), "not on the tape");
  EXPECT_FAILS(grad(scalar(1), leaf({1})), "not on the tape");
  EXPECT_FAILS(grad(sum(leaf({1})), scalar(1)), "grad", "requires_grad_");
}

TEST(Backward, AFreedGraphIsAnError) {
  const Tensor x = leaf({2});
  const Tensor y = x * x;
  y.backward();
  EXPECT_FAILS(y.backward(), "mul", "freed", "retain_graph");
  EXPECT_EQ(gradient(x), (Values{4}));
  // What is still there works again after the error.
  const Tensor z = x * 5;
  z.backward();
  EXPECT_EQ(gradient(x), (Values{9}));
}

TEST(Backward, ARetainedGraphKeepsWhatTheLastRunMayWriteOver) {
  const Tensor x = randn({5, 3, 4}, f64).requires_grad_();
  for (const bool gru_layer : {false, true}) {
    const int64_t rows = gru_layer ? 18 : 24;
    const RecurrentWeights w{randn({rows, 4}, f64), randn({rows, 6}, f64)};
    const Tensor y = sum(gru_layer ? gru(x, {}, w).output : lstm(x, {}, w).output);
    const GradOptions retain{.retain_graph = true};
    const Values first = grad(y, x, retain).to_vector<double>();
    EXPECT_EQ(grad(y, x, retain).to_vector<double>(), first);
    EXPECT_EQ(grad(y, x).to_vector<double>(), first);
  }
}

TEST(Backward, AFreedPartIsAnErrorTooAndLeavesNothingBehind) {
  const Tensor x = leaf({2}), w = leaf({3});
  const Tensor shared = x * x;
  const Tensor first = shared * 1, second = shared * w;
  first.backward();
  EXPECT_FAILS(second.backward(), "mul", "freed");
  const Tensor again = w * w;  // nothing is pending from the run that failed
  const Values before = gradient(w);
  again.backward();
  EXPECT_EQ(gradient(w).front(), (before.empty() ? 0 : before.front()) + 6);
}

TEST(Backward, RetainGraphKeepsIt) {
  const Tensor x = leaf({2});
  const Tensor y = exp(x * x) * 0 + x * x;
  y.backward({}, true);
  y.backward({}, true);
  EXPECT_EQ(gradient(x), (Values{8}));
  y.backward();
  EXPECT_EQ(gradient(x), (Values{12}));
  EXPECT_FAILS(y.backward(), "freed");
}

TEST(Grad, OfLeavesAndOthers) {
  const Tensor x = leaf({2}), w = leaf({5});
  const Tensor h = x * x;
  const Tensor y = h * h * w;
  const Tensor inputs[] = {h, x, w, y};
  const std::vector<Tensor> g = grad(std::span(&y, 1), inputs);
  EXPECT_EQ(g[0].item(), 2 * 4 * 5);
  EXPECT_EQ(g[1].item(), 2 * 4 * 5 * 4);
  EXPECT_EQ(g[2].item(), 16);
  EXPECT_EQ(g[3].item(), 1);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(w.grad().defined());
}

TEST(Grad, UnusedInputs) {
  const Tensor x = leaf({2}), other = leaf({1, 1});
  const Tensor inputs[] = {x, other};
  const Tensor y = x * 3;
  const std::vector<Tensor> g = grad(std::span(&y, 1), inputs, {.retain_graph = true, .allow_unused = true});
  EXPECT_EQ(g[0].item(), 3);
  EXPECT_FALSE(g[1].defined());
  EXPECT_FAILS(grad(std::span(&y, 1), inputs), "grad", "input 1", "allow_unused");
}

// y = x, counting how often its rule runs.
Tensor counted(const Tensor& x, int& count) {
  return autograd::record("counted")(clone(x.detach()), autograd::wrt(x, [&count](const Tensor& g) {
                                       ++count;
                                       return g;
                                     }));
}

TEST(Grad, VisitsOnlyWhatLeadsToItsInputs) {
  const Tensor x = leaf({2}), w = leaf({3});
  int of_x = 0, of_w = 0, below = 0;
  const Tensor base = counted(x, below), a = counted(base, of_x), b = counted(w, of_w);
  const Tensor y = a * b;
  EXPECT_EQ(grad(y, b, {.retain_graph = true}).item(), 2);
  EXPECT_EQ(of_x + of_w + below, 0);
  EXPECT_EQ(grad(y, w).item(), 2);
  EXPECT_EQ(of_w, 1);
  EXPECT_EQ(of_x, 0);
  EXPECT_EQ(grad(a, base).item(), 1);  // what wasn't visited wasn't freed
  EXPECT_EQ(grad(base, x).item(), 1);
  EXPECT_EQ(below, 1);
}

TEST(Grad, OfAnInputAboveAnother) {
  const Tensor x = leaf({2});
  const Tensor h = x * x;
  const std::vector<Tensor> g = grad(h * h * x, {h, h, x});
  EXPECT_EQ(g[0].item(), 2 * 4 * 2);
  EXPECT_EQ(g[1].item(), 2 * 4 * 2);
  EXPECT_EQ(g[2].item(), 5 * 16);
}

TEST(Grad, WeighsOutputsByTheirGradients) {
  const Tensor x = leaf({1, 2, 3});
  EXPECT_EQ(grad(x * x, x, {}, constant({1, 10, 100})).to_vector<double>(), (Values{2, 40, 600}));
  EXPECT_FAILS(grad(x * x, x), "backward", "[3]");
}

TEST(Grad, OfGradients) {
  const Tensor x = leaf({2});
  const Tensor y = x * x * x * x;
  const Tensor first = grad(y, x, {.create_graph = true});
  const Tensor second = grad(first, x, {.create_graph = true});
  const Tensor third = grad(second, x, {.retain_graph = true});
  EXPECT_EQ(first.item(), 32);
  EXPECT_EQ(second.item(), 48);
  EXPECT_EQ(third.item(), 48);
  EXPECT_FALSE(third.requires_grad());
  EXPECT_EQ(grad(y, x).item(), 32);  // create_graph keeps the graph
}

TEST(Backward, WithCreateGraphLeavesGetGradientsOnTheTape) {
  const Tensor x = leaf({3});
  const Tensor y = x * x * x;
  backward(std::span(&y, 1), {}, {.create_graph = true});
  const Tensor g = x.grad();
  ASSERT_TRUE(g.requires_grad());
  EXPECT_EQ(grad(g, x).item(), 18);
  autograd::leaf_of(x)->gradient = {};  // or the leaf and its gradient's graph own each other
}

TEST(InPlace, ASavedTensorThatChangedIsAnError) {
  Tensor x = leaf({1, 2}), w = constant({3, 4});
  const Tensor y = sum(x * w);
  w.mutable_data<double>()[0] = 9;
  EXPECT_FAILS(y.backward(), "mul", "in place", "clone");
  EXPECT_FALSE(x.grad().defined());
  Tensor e = exp(x);
  const Tensor z = sum(e);
  e.mutable_data<double>()[0] = 0;  // the output, which exp's gradient needs
  EXPECT_FAILS(z.backward(), "exp", "in place");
  Tensor v = clone(x);
  const Tensor part = slice(v, 0, 0, 1);
  const Tensor product = part * part;
  v.mutable_data<double>()[1] = 7;  // through another view of the same storage
  EXPECT_FAILS(product.backward(), "mul", "in place");
}

TEST(InPlace, WhatIsNotNeededMayChange) {
  Tensor x = leaf({1, 2}), w = constant({3, 4});
  const Tensor y = sum(x + w);
  w.mutable_data<double>()[0] = 9;
  EXPECT_NO_THROW(y.backward());
  const Tensor z = sum(x * constant({1, 1}));
  x.mutable_data<double>()[0] = 5;  // only w's gradient would need it, and none is asked for
  EXPECT_NO_THROW(z.backward());
}

// A gradient that was used in another graph is changed when more arrives.
TEST(InPlace, AccumulationIsAChange) {
  const Tensor x = leaf({1, 2}), w = leaf({1, 1});
  sum(x * 3).backward();
  const Tensor loss = sum(w * x.grad());
  sum(x * 4).backward();
  EXPECT_FAILS(loss.backward(), "mul", "in place");
}

TEST(NoGrad, RecordsNothing) {
  const Tensor x = leaf({2});
  {
    const NoGrad off;
    EXPECT_FALSE(grad_enabled());
    EXPECT_FALSE((x * x).requires_grad());
    {
      const EnableGrad on;
      EXPECT_TRUE((x * x).requires_grad());
      const NoGrad again;
      EXPECT_FALSE((x * x).requires_grad());
    }
    EXPECT_FALSE((x * x).requires_grad());
  }
  EXPECT_TRUE(grad_enabled());
  EXPECT_TRUE((x * x).requires_grad());
  EXPECT_FALSE((constant({1}) * constant({2})).requires_grad());
}

TEST(NoGrad, EndsWithAnException) {
  try {
    const NoGrad off;
    fail("on purpose");
  } catch (const Error&) {
  }
  EXPECT_TRUE(grad_enabled());
}

TEST(Detach, SharesValuesButNotTheTape) {
  const Tensor x = leaf({2});
  const Tensor y = x * x;
  Tensor d = y.detach();
  EXPECT_FALSE(d.requires_grad());
  EXPECT_EQ(d.raw(), y.raw());
  (x * d).backward();
  EXPECT_EQ(gradient(x), (Values{4}));
}

TEST(RequiresGrad, IsForFloatingLeaves) {
  EXPECT_FAILS(ones({1}, i64).requires_grad_(), "requires_grad_", "i64");
  const Tensor x = leaf({1});
  EXPECT_FAILS((x * 2).requires_grad_(), "requires_grad_", "detach");
  sum(x).backward();
  x.requires_grad_();  // again: nothing changes
  EXPECT_EQ(gradient(x), (Values{1}));
  x.requires_grad_(false);
  EXPECT_FALSE(x.requires_grad());
  EXPECT_FALSE((x * 2).requires_grad());
  EXPECT_FALSE(x.grad().defined());
}

TEST(Backward, AResultIsRecordedOnce) {
  const Tensor x = leaf({2});
  const auto same = [](const Tensor& g) { return g; };
  EXPECT_FAILS(autograd::record("mine")(x, autograd::wrt(x, same)), "mine", "on the tape already");
  EXPECT_NO_THROW((x * 1).backward());
}

TEST(Backward, ALeafMayDieBeforeIt) {
  Tensor y;
  const Tensor w = leaf({3});
  {
    const Tensor x = leaf({2});
    y = x * w;
  }
  y.backward();
  EXPECT_EQ(gradient(w), (Values{2}));
}

}  // namespace
}  // namespace scry
