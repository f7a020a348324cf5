// The checker itself: it must see wrong rules.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <cmath>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;
using autograd::record;
using autograd::wrt;

Tensor random_input(const Shape& shape, uint64_t seed = 1) {
  Generator generator(seed);
  return uniform(shape, 0.2, 2, f64, generator).requires_grad_();
}

template <class F>
std::string first_order(const F& function, const std::vector<Tensor>& inputs) {
  return message_of([&] { gradcheck([&](std::span<const Tensor> x) { return function(x); }, inputs); });
}
template <class F>
std::string second_order(const F& function, const std::vector<Tensor>& inputs) {
  return message_of([&] { gradgradcheck([&](std::span<const Tensor> x) { return function(x); }, inputs, {.relative = 1e-5, .absolute = 1e-6}); });
}

const std::string fine = "nothing was thrown";

TEST(Gradcheck, AcceptsRightRules) {
  const auto f = [](std::span<const Tensor> x) { return exp(x[0]) * x[1] / sqrt(x[0]); };
  EXPECT_EQ(first_order(f, {random_input({3, 2}), random_input({2}, 2)}), fine);
  EXPECT_EQ(second_order(f, {random_input({3, 2}), random_input({2}, 2)}), fine);
}

TEST(Gradcheck, SeesAWrongRule) {
  const auto wrong = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[0].detach()), wrt(x[0], [](const Tensor& g) { return g * 1.001; }));
  };
  EXPECT_NE(first_order(wrong, {random_input({3})}).find("gradcheck: input 0 of shape [3], element 0: the tape says"), std::string::npos);
}

TEST(Gradcheck, SeesOneWrongElement) {
  const auto wrong = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[1].detach()), wrt(
                                                   x[1],
                                                   [](const Tensor& g, const Tensor& y) {
                                                     Tensor out = g * y;
                                                     out.mutable_data<double>()[4] *= 1.0001;
                                                     return out;
                                                   },
                                                   autograd::output));
  };
  EXPECT_NE(first_order(wrong, {random_input({2}), random_input({2, 3})}).find("input 1 of shape [2, 3], element 4"), std::string::npos);
}

TEST(Gradcheck, SeesAMissingGradient) {
  const auto wrong = [](std::span<const Tensor> x) {
    const Tensor hidden = x[1].detach();  // the tape doesn't know
    return x[0] * hidden;
  };
  EXPECT_NE(first_order(wrong, {random_input({2}), random_input({2}, 2)}).find("input 1"), std::string::npos);
}

TEST(Gradcheck, SeesNaN) {
  const auto wrong = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[0].detach()), wrt(x[0], [](const Tensor& g) { return g * NAN; }));
  };
  EXPECT_NE(first_order(wrong, {random_input({2})}), fine);
}

TEST(Gradcheck, SeesAGradientOfAnotherShape) {
  const auto wrong = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[0].detach()), wrt(x[0], [](const Tensor& g) { return reshape(g, {2, 3}); }));
  };
  EXPECT_NE(first_order(wrong, {random_input({3, 2})}), fine);
}

TEST(Gradgradcheck, SeesAWrongSecondDerivative) {
  // The rule's value is right, but it isn't written in differentiable ops.
  const auto wrong = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[0].detach()), wrt(
                                                   x[0], [](const Tensor& g, const Tensor& y) { return g * y.detach(); }, autograd::output));
  };
  EXPECT_EQ(first_order(wrong, {random_input({3})}), fine);
  EXPECT_NE(second_order(wrong, {random_input({3})}), fine);
  const auto forgets_g = [](std::span<const Tensor> x) {
    return record("wrong")(exp(x[0].detach()), wrt(
                                                   x[0], [](const Tensor& g, const Tensor& y) { return g.detach() * y; }, autograd::output));
  };
  EXPECT_EQ(first_order(forgets_g, {random_input({3})}), fine);
  EXPECT_NE(second_order(forgets_g, {random_input({3})}), fine);
}

TEST(Gradcheck, AsksForDoubles) {
  const auto f = [](std::span<const Tensor> x) { return x[0] * 2; };
  EXPECT_NE(first_order(f, {ones({2}).requires_grad_()}).find("f64"), std::string::npos);
  EXPECT_NE(first_order(f, {ones({2}, f64)}).find("not on the tape"), std::string::npos);
}

TEST(Gradcheck, PutsInputsBack) {
  const Tensor x = random_input({3});
  const Tensor before = clone(x.detach());
  gradcheck([](std::span<const Tensor> t) { return exp(t[0]); }, std::vector<Tensor>{x});
  EXPECT_TRUE(same_bits(x, before));
  EXPECT_FALSE(x.grad().defined());
}

TEST(Gradcheck, TakesViewsAsInputs) {
  const Tensor room = random_input({3, 4}).detach();
  const Tensor turned = transpose(room, 0, 1).requires_grad_(), backwards = slice(room, 1, -1, to_end, -2).requires_grad_();
  EXPECT_EQ(first_order([](std::span<const Tensor> x) { return x[0] * x[0]; }, {turned}), fine);
  EXPECT_EQ(first_order([](std::span<const Tensor> x) { return exp(x[0]); }, {backwards}), fine);
}

}  // namespace
}  // namespace scry
