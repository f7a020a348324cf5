#include "support.hpp"

#include <gmock/gmock.h>

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>

namespace scry {
namespace {

using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<double> values(const Tensor& x) { return x.to_vector<double>(); }

TEST(InPlace, ViewsAndHandlesSeeTheChange) {
  const Tensor x = arange(0.0, 6.0), view = transpose(reshape(x, {2, 3}), 0, 1), same = x;
  add_(view, Tensor::of<float>({10, 20}, {2}));
  EXPECT_THAT(values(same), ElementsAre(10, 11, 12, 23, 24, 25));
  mul_(slice(x, 0, 0, to_end, 2), 2);
  EXPECT_THAT(values(x), ElementsAre(20, 11, 24, 23, 48, 25));
}

TEST(InPlace, EveryOp) {
  const auto of = [](double a, double b) { return Tensor::of<double>({a, b}, {2}); };
  EXPECT_THAT(values(add_(of(1, 2), of(3, 4), 2)), ElementsAre(7, 10));
  EXPECT_THAT(values(sub_(of(1, 2), of(3, 4))), ElementsAre(-2, -2));
  EXPECT_THAT(values(sub_(of(1, 2), 1)), ElementsAre(0, 1));
  EXPECT_THAT(values(mul_(of(1, 2), of(3, 4))), ElementsAre(3, 8));
  EXPECT_THAT(values(div_(of(1, 2), of(2, 4))), ElementsAre(0.5, 0.5));
  EXPECT_THAT(values(div_(of(1, 2), 2)), ElementsAre(0.5, 1));
  EXPECT_THAT(values(copy_(of(1, 2), Tensor::of<int64_t>({7}, {1}))), ElementsAre(7, 7));
  EXPECT_THAT(values(fill_(of(1, 2), 3)), ElementsAre(3, 3));
  EXPECT_THAT(values(zero_(of(1, 2))), ElementsAre(0, 0));
  EXPECT_THAT(values(masked_fill_(of(1, 2), gt(of(1, 2), 1), -1)), ElementsAre(1, -1));
  EXPECT_THAT(values(clamp_(of(-1, 2), 0, 1)), ElementsAre(0, 1));
  EXPECT_THAT(values(pow_(of(2, 3), 2)), ElementsAre(4, 9));
  EXPECT_THAT(values(neg_(of(1, 2))), ElementsAre(-1, -2));
  EXPECT_THAT(values(abs_(of(-1, 2))), ElementsAre(1, 2));
  EXPECT_THAT(values(square_(of(-1, 2))), ElementsAre(1, 4));
  EXPECT_THAT(values(log_(exp_(of(0, 0)))), ElementsAre(0, 0));
  EXPECT_THAT(values(sqrt_(of(4, 9))), ElementsAre(2, 3));
  EXPECT_THAT(values(relu_(of(-4, 9))), ElementsAre(0, 9));
  EXPECT_THAT(values(sigmoid_(tanh_(of(0, 0)))), ElementsAre(0.5, 0.5));
}

TEST(InPlace, OverlapIsReadBeforeItIsWritten) {
  const Tensor x = arange(0, 5);
  add_(slice(x, 0, 1), slice(x, 0, 0, -1));
  EXPECT_THAT(values(x), ElementsAre(0, 1, 3, 5, 7));
  copy_(x, slice(x, 0, -1, -6, -1));
  EXPECT_THAT(values(x), ElementsAre(7, 5, 3, 1, 0));
  const Tensor square = reshape(arange(0, 4), {2, 2});
  add_(square, transpose(square, 0, 1));
  EXPECT_THAT(values(square), ElementsAre(0, 3, 3, 6));
  add_(square, square);
  EXPECT_THAT(values(square), ElementsAre(0, 6, 6, 12));
}

TEST(InPlace, RefusedOnTheTape) {
  const Tensor leaf = ones({3}).requires_grad_(), y = leaf * 2;
  EXPECT_THAT(message_of([&] { add_(y, 1); }), HasSubstr("add_: the tensor of shape [3] was computed on the tape"));
  EXPECT_THAT(message_of([&] { zero_(slice(y, 0, 1)); }), HasSubstr("zero_"));
  EXPECT_THAT(message_of([&] { mul_(leaf, 2); }), HasSubstr("NoGrad"));
  EXPECT_THAT(message_of([&] { fill_(leaf[0], 2); }), HasSubstr("fill_"));
  EXPECT_THAT(message_of([&] { add_(zeros({3}), leaf); }), HasSubstr("add_: the second tensor"));
  EXPECT_THAT(values(y), ElementsAre(2, 2, 2));
  const NoGrad guard;
  EXPECT_THAT(message_of([&] { add_(y, 1); }), HasSubstr("computed on the tape"));
  add_(leaf, y);
  mul_(leaf[0], 5);
  EXPECT_THAT(values(leaf), ElementsAre(15, 3, 3));
}

TEST(InPlace, BackwardNoticesAChangedValue) {
  const Tensor x = ones({3}).requires_grad_(), factor = ones({3});
  const Tensor y = sum(x * factor);
  add_(factor, 1);
  EXPECT_THAT(message_of([&] { y.backward(); }), HasSubstr("changed in place"));
  const Tensor z = exp(x);
  zero_(z.detach());
  EXPECT_THAT(message_of([&] { sum(z).backward(); }), HasSubstr("exp: a tensor that the gradient needs has been changed in place"));
  const Tensor w = sum(x * x);
  {
    const NoGrad guard;
    mul_(x, 2);
  }
  EXPECT_THROW(w.backward(), Error);
}

TEST(InPlace, AFailureChangesNothing) {
  const Tensor x = Tensor::of<int64_t>({1, 2}, {2});
  const uint32_t version = x.node().storage->version();
  EXPECT_THAT(message_of([&] { add_(x, zeros({3}, i64)); }), HasSubstr("add_: shapes [2] and [3]"));
  EXPECT_THAT(message_of([&] { add_(x, zeros({2, 2}, i64)); }), HasSubstr("add_: shape [2, 2] does not broadcast to [2]"));
  EXPECT_THAT(message_of([&] { add_(x, 0.5); }), HasSubstr("add_: f32 values don't go into a tensor of i64"));
  EXPECT_THROW(div_(x, 2), Error);
  EXPECT_THROW(sqrt_(x), Error);
  EXPECT_THROW(pow_(x, 0.5), Error);
  EXPECT_THROW(masked_fill_(x, x, 1), Error);
  EXPECT_THROW(add_(Tensor{}, 1), Error);
  EXPECT_THROW(add_(x, Tensor{}), Error);
  EXPECT_THAT(message_of([&] { add_(expand(scalar(1), {3}), 1); }), HasSubstr("share memory"));
  EXPECT_THAT(values(x), ElementsAre(1, 2));
  EXPECT_EQ(x.node().storage->version(), version);
}

}  // namespace
}  // namespace scry
