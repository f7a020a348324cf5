#include <gtest/gtest.h>

#include "support.hpp"
#include <scry/autograd/autograd.hpp>
#include <scry/autograd/hook.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/random.hpp>

// Ops that write over memory which nobody else needs.
namespace scry {
namespace {

using scry::test::same_bits;

TEST(Reuse, TemporariesAreOverwritten) {
  const NoGrad guard;
  const Tensor x = randn({3, 4});
  Tensor h = x * 2;
  const void* memory = h.raw();
  Tensor y = relu(std::move(h));
  EXPECT_EQ(y.raw(), memory);
  y = std::move(y) + x;
  EXPECT_EQ(y.raw(), memory);
  y = x + std::move(y);
  EXPECT_EQ(y.raw(), memory);
  EXPECT_TRUE(same_bits(y, x + (relu(x * 2) + x)));
}

TEST(Reuse, WhatSomebodyLooksAtStays) {
  const Tensor x = randn({5}), before = clone(x);
  const Tensor h = x * 2, view = h.at({Slice{1, 4}});
  const auto values = h.to_vector<float>();
  relu(h);
  relu(h.at({Slice{0, 2}}));
  (void)(h + x);
  (void)(h + h);
  EXPECT_EQ(h.to_vector<float>(), values);
  std::vector<float> theirs{-1, 2, -3};
  EXPECT_EQ(relu(Tensor::borrow(theirs.data(), {3}, nullptr)).to_vector<float>(), (std::vector<float>{0, 2, 0}));
  EXPECT_EQ(theirs, (std::vector<float>{-1, 2, -3}));
  EXPECT_EQ((expand(scalar(1), {3}) + ones({3})).to_vector<float>(), (std::vector<float>{2, 2, 2}));
  EXPECT_TRUE(same_bits(x, before));
}

TEST(Reuse, ValuesThatAGradientNeedsStay) {
  const Tensor x = randn({6}, f64).requires_grad_();
  sum(relu(exp(x) - 1) + exp(x) + exp(x)).backward();
  const Tensor given = x.grad();
  const Tensor a = exp(x), b = a - 1, r = relu(b), s = r + a, t = s + a;
  const Tensor expected = grad(sum(t), x);
  EXPECT_TRUE(same_bits(given, expected));
}

// What comes for `x` by two ways, one of which adds to the other's gradient, against each way alone.
void expect_joined(const Tensor& x, Tensor (*way)(const Tensor&)) {
  const Tensor leaf = x.detach().requires_grad_(), h = leaf * 1, y = way(h), skip = h * 2;
  const Tensor factor = randn(y.shape(), x.dtype());
  const auto slope = [&](const Tensor& f) { return grad(f, leaf, {.retain_graph = true}); };
  const Tensor apart = slope(sum(y * factor)) + slope(sum(skip * skip));
  EXPECT_LE(max(abs(slope(sum(y * factor) + sum(skip * skip)) - apart)).item(), x.dtype() == f64 ? 1e-12 : 1e-5 * max(abs(apart)).item());
}

TEST(Reuse, RulesAddToWhatHasCome) {
  for (const DType dtype : {f32, f64}) {
    const Tensor images = randn({2, 16, 18, 17}, dtype);
    expect_joined(images, [](const Tensor& x) { return conv2d(x, ones({16, 16, 3, 3}, x.dtype()) * 0.1, {}, {.padding = 1}); });
    expect_joined(images, [](const Tensor& x) { return conv2d(x, ones({32, 16, 1, 1}, x.dtype()) * 0.1, {}, {.stride = 2}); });
    expect_joined(images, [](const Tensor& x) { return conv2d(x, ones({16, 1, 3, 3}, x.dtype()), {}, {.groups = 16}); });
    expect_joined(images, [](const Tensor& x) { return group_norm(x, 4); });
    expect_joined(randn({5, 7}, dtype), [](const Tensor& x) { return layer_norm(x, {7}); });
  }
}

// A clip of batch_norm in one node, and in two.
void expect_taken_in(Tensor (*clip)(Tensor), bool affine) {
  const Tensor x = randn({4, 3, 5, 2}, f64).requires_grad_();
  const Tensor weight = affine ? (randn({3}, f64) * 2).detach().requires_grad_() : Tensor{},
               bias = affine ? randn({3}, f64).requires_grad_() : Tensor{};
  const Tensor factor = randn({4, 3, 5, 2}, f64);
  const auto norm = [&] { return batch_norm(x, {}, weight, bias); };
  const Tensor one = clip(norm()), named = norm(), two = clip(named);
  EXPECT_TRUE(same_bits(one, two));
  EXPECT_STREQ(autograd::node_of(one)->op, "batch_norm");
  std::vector<Tensor> inputs{x};
  if (affine) inputs.insert(inputs.end(), {weight, bias});
  for (const Tensor& input : inputs) {
    const Tensor a = grad(sum(one * factor), input, {.create_graph = true}), b = grad(sum(two * factor), input, {.create_graph = true});
    EXPECT_LT(max(abs(a - b)).item(), 1e-12);
    const Tensor plain = grad(sum(one * factor), input, {.retain_graph = true});
    EXPECT_LT(max(abs(plain - b)).item(), 1e-12);
    if (same_node(input, bias)) continue;  // its gradient depends on nothing but signs
    const Tensor aa = grad(sum(a * a), x, {.retain_graph = true}), bb = grad(sum(b * b), x, {.retain_graph = true});
    EXPECT_LT(max(abs(aa - bb)).item(), 1e-10);
  }
}

TEST(Reuse, BatchNormTakesTheClipBehindItIn) {
  for (const bool affine : {true, false}) {
    expect_taken_in(relu, affine);
    expect_taken_in([](Tensor x) { return hardtanh(std::move(x), -0.7, 0.4); }, affine);
    expect_taken_in([](Tensor x) { return hardtanh(std::move(x), 0.2, 6); }, affine);
  }
}

TEST(Reuse, AHookBehindANormalisationSeesItsOwnGradient) {
  const Tensor x = randn({4, 2}, f64).requires_grad_();
  Tensor h = batch_norm(x, {}, {}, {});
  Tensor seen;
  register_hook(h, [&](const Tensor& g) { seen = g; });
  const Tensor mask = cast(gt(h, 0), f64);
  sum(relu(std::move(h))).backward();
  EXPECT_TRUE(same_bits(seen, mask));
}

}  // namespace
}  // namespace scry
