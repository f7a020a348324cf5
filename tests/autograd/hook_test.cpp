// Hooks on gradients, and the gradients of computed tensors.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/hook.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;
using Values = std::vector<double>;

Tensor leaf(const Values& values) { return Tensor::of(values, {static_cast<int64_t>(values.size())}).requires_grad_(); }
Values gradient(const Tensor& x) { return x.grad().defined() ? x.grad().to_vector<double>() : Values{}; }

TEST(Hook, SeesTheWholeGradientOnce) {
  const Tensor x = leaf({1, 2});
  const Tensor h = x * 2;
  std::vector<Values> seen;
  register_hook(h, [&](const Tensor& g) { seen.push_back(g.to_vector<double>()); });
  register_hook(x, [&](const Tensor& g) { seen.push_back(g.to_vector<double>()); });
  (sum(h * 3) + sum(h * h) + sum(x)).backward();
  EXPECT_EQ(seen, (std::vector<Values>{{3 + 4, 3 + 8}, {2 * 7 + 1, 2 * 11 + 1}}));
  EXPECT_EQ(gradient(x), (Values{15, 23}));
}

TEST(Hook, MayReplaceTheGradient) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor h = x * w;
  register_hook(h, [](const Tensor& g) { return g * 10; });
  register_hook(h, [](const Tensor& g) { return g + 1; });  // after the first
  register_hook(w, [](const Tensor& g) { return g * -1; });
  sum(h).backward();
  EXPECT_EQ(gradient(x), (Values{33, 44}));
  EXPECT_EQ(gradient(w), (Values{-11, -22}));
  sum(x * w).backward();  // what a leaf holds already is not hooked again
  EXPECT_EQ(gradient(w), (Values{-12, -24}));
}

TEST(Hook, IsRemovedByItsHandle) {
  const Tensor x = leaf({1});
  int calls = 0;
  TensorHook first = register_hook(x, [&](const Tensor&) { ++calls; }), second = first;
  TensorHook itself = register_hook(x, [&](const Tensor&) { itself.remove(); });
  x.backward();
  x.backward();
  EXPECT_EQ(calls, 2);
  first.remove();
  first.remove();
  second.remove();
  x.backward();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(gradient(x), (Values{3}));
}

TEST(Hook, ServesGradToo) {
  const Tensor x = leaf({2});
  const Tensor h = x * x;
  register_hook(h, [](const Tensor& g) { return g * 3; });
  register_hook(x, [](const Tensor& g) { return g * 5; });
  const std::vector<Tensor> g = grad(h * 2, {h, x});
  EXPECT_EQ(g[0].item(), 6);
  EXPECT_EQ(g[1].item(), 6 * 4 * 5);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Hook, TakesPartInSecondDerivatives) {
  const Tensor x = leaf({2});
  register_hook(x, [&](const Tensor& g) { return g * g; });
  const Tensor g = grad(x * x * x, x, {.create_graph = true});
  EXPECT_EQ(g.item(), 144);  // (3 x²)²
  const Tensor second = grad(g, x, {.create_graph = true});
  EXPECT_EQ(second.item(), (36.0 * 8) * (36.0 * 8));  // hooked again: d/dx 9 x⁴ = 36 x³
}

TEST(Hook, OfAPartlyFilledLeaf) {
  const Tensor x = leaf({1, 2, 3});
  register_hook(x, [](const Tensor& g) { return g * 2; });
  (sum(slice(x, 0, 0, 1)) + sum(slice(x, 0, 1, 3))).backward();
  EXPECT_EQ(gradient(x), (Values{2, 2, 2}));
}

TEST(Hook, BadOnesAreErrors) {
  const Tensor x = leaf({1, 2});
  EXPECT_FAILS(register_hook(x.detach(), [](const Tensor&) {}), "register_hook", "requires_grad_");
  EXPECT_FAILS(register_hook(x, autograd::GradientHook{}), "register_hook", "no function");
  TensorHook hook = register_hook(x, [](const Tensor& g) { return sum(g); });
  EXPECT_FAILS(sum(x).backward(), "hook", "[]", "[2]");
  EXPECT_FALSE(x.grad().defined());
  hook.remove();
  sum(x).backward();
  EXPECT_EQ(gradient(x), (Values{1, 1}));
}

TEST(RetainGrad, KeepsWhatReachedAComputedTensor) {
  const Tensor x = leaf({1, 2});
  const Tensor h = x * 2, other = h * 1;
  register_hook(h, [](const Tensor& g) { return g * 10; });
  h.retain_grad();
  x.retain_grad();  // leaves do so anyway
  const Tensor y = sum(other * other);
  grad(y, x, {.retain_graph = true});
  EXPECT_FALSE(h.grad().defined());  // only backward() keeps
  y.backward({}, true);
  EXPECT_EQ(gradient(h), (Values{40, 80}));
  EXPECT_FALSE(other.grad().defined());
  y.backward();
  EXPECT_EQ(gradient(h), (Values{80, 160}));  // adds up, as a leaf's does
  EXPECT_EQ(gradient(x), (Values{160, 320}));
  EXPECT_FAILS(x.detach().retain_grad(), "retain_grad", "tape");
}

}  // namespace
}  // namespace scry
