#include <gtest/gtest.h>

#include "support.hpp"
#include <scry/autograd/autograd.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/random.hpp>

// Outputs of normalisations are computed again in backward instead of being kept for it.
namespace scry {
namespace {

using scry::test::message_of;
using scry::test::same_bits;

struct Remake : ::testing::Test {
  Tensor x = randn({4, 3, 5, 6}, f64).requires_grad_(), scale = randn({3}, f64).requires_grad_(), shift = randn({3}, f64).requires_grad_();
  Tensor w = randn({2, 3, 3, 3}, f64).requires_grad_(), u = randn({2, 3, 2, 2}, f64).requires_grad_();
  std::vector<Tensor> all{x, scale, shift, w, u};

  Tensor norm() const { return batch_norm(x, {}, scale, shift); }
  // Of `loss`, with respect to everything.
  std::vector<Tensor> gradients(const Tensor& loss) const { return grad(std::vector<Tensor>{loss}, all, {.allow_unused = true}); }
  static void expect_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].defined(), b[i].defined()) << i;
      EXPECT_TRUE(!a[i].defined() || same_bits(a[i], b[i])) << i;
    }
  }
};

TEST_F(Remake, WhoReadsANormalisationDoesNotKeepItsOutput) {
  Tensor y = norm();
  const Tensor z = conv2d(y, w), product = y * y;
  EXPECT_TRUE(y.node().unique());
  y = relu(norm());
  const Tensor v = conv2d(y, w);
  EXPECT_TRUE(y.node().unique());
}

TEST_F(Remake, GradientsAreThoseOfWhatWasComputed) {
  for (const bool with_relu : {false, true}) {
    const auto y = [&] { return with_relu ? relu(norm()) : norm(); };
    const Tensor values = y().detach().requires_grad_();
    expect_equal({grad(sum(square(conv2d(y(), w))), w)}, {grad(sum(square(conv2d(values, w))), w)});
    const auto network = [&](std::span<const Tensor> in) {
      Tensor h = batch_norm(in[0], {}, in[1], in[2]);
      return conv2d(with_relu ? relu(std::move(h)) : h, in[3]);
    };
    const std::vector<Tensor> inputs{x, scale, shift, w};
    EXPECT_NO_THROW(gradcheck(network, inputs, {.relative = 1e-5, .absolute = 1e-6}));
    EXPECT_NO_THROW(gradgradcheck(network, inputs, {.relative = 1e-4, .absolute = 1e-5}));
  }
}

TEST_F(Remake, AReluThatComesAfterAReaderIsNotTakenIn) {
  Tensor h = norm();
  const Tensor z = conv2d(h, w), r = relu(std::move(h));
  const Tensor kept = norm();
  expect_equal(gradients(sum(square(z)) + sum(square(conv2d(r, u)))), gradients(sum(square(conv2d(kept, w))) + sum(square(conv2d(relu(kept), u)))));
}

TEST_F(Remake, AReaderDoesNotNeedTheGraphBehindIt) {
  const Tensor y = norm(), reference = y.detach().requires_grad_();
  const Tensor first = conv2d(y, w), second = conv2d(y, u);
  gradients(sum(square(first)));  // frees the normalisation
  expect_equal({grad(sum(square(second)), u)}, {grad(sum(square(conv2d(reference, u))), u)});
  expect_equal({grad(sum(square(conv2d(y, w))), w)}, {grad(sum(square(conv2d(reference, w))), w)});
  EXPECT_NE(message_of([&] { gradients(sum(conv2d(y, w))); }).find("freed"), std::string::npos);
}

TEST_F(Remake, ANormalisationOfANormalisationKeepsIt) {
  const Tensor y = norm(), again = batch_norm(y, {}, scale, shift);
  EXPECT_FALSE(y.node().unique()) << "a long chain of them must not be computed again from its beginning";
  const Tensor reference = y.detach().requires_grad_();
  expect_equal({grad(sum(square(again)), y)}, {grad(sum(square(batch_norm(reference, {}, scale, shift))), reference)});
}

TEST_F(Remake, AChangeOfWhatItIsComputedFromIsAnError) {
  const Tensor loss = sum(square(conv2d(norm(), w)));
  {
    const NoGrad guard;
    add_(shift, 1);
  }
  EXPECT_NE(message_of([&] { grad(loss, w); }).find("changed in place"), std::string::npos);
}

}  // namespace
}  // namespace scry
