// Attention beyond its rows in the op table: dropout, memory, threads.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/core/memory.hpp>
#include <cmath>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

Tensor with_dropout(std::span<const Tensor> x, double p = 0.4) {
  Generator generator(3);
  return scaled_dot_product_attention(x[0], x[1], x[2], {.dropout = p}, generator);
}

TEST(Attention, DropoutZeroesWeightsAndScalesTheRest) {
  const Tensor q = randn({2, 70, 8}), k = randn({2, 130, 8}), units = eye(130);
  const Tensor plain = scaled_dot_product_attention(q, k, units), dropped = with_dropout(std::vector{q, k, units});
  const std::vector<float> a = plain.to_vector<float>(), b = dropped.to_vector<float>();
  int64_t zeros = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    zeros += b[i] == 0;
    if (b[i] != 0) {
      ASSERT_NEAR(b[i], a[i] / 0.6, 1e-6);
    }
  }
  const auto count = static_cast<double>(a.size());
  EXPECT_NEAR(static_cast<double>(zeros), 0.4 * count, 5 * std::sqrt(count * 0.24));
}

TEST(Attention, GradientsSeeTheSameDropout) {
  std::vector<Tensor> x;
  Generator generator(1);
  for (const Shape& shape : {Shape{2, 3, 2}, Shape{2, 6, 2}, Shape{2, 6, 3}}) x.push_back(uniform(shape, -1, 1, f64, generator).requires_grad_());
  EXPECT_NO_THROW(gradcheck([](std::span<const Tensor> in) { return with_dropout(in); }, x));
  EXPECT_NO_THROW(gradgradcheck([](std::span<const Tensor> in) { return with_dropout(in); }, x));
}

TEST(Attention, AMaskCanLearn) {
  Generator generator(2);
  std::vector<Tensor> x;
  for (const Shape& shape : {Shape{3, 2}, Shape{4, 2}, Shape{4, 2}, Shape{3, 4}}) x.push_back(uniform(shape, -1, 1, f64, generator).requires_grad_());
  EXPECT_NO_THROW(gradcheck([](std::span<const Tensor> in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = in[3]}); }, x));
}

TEST(Attention, AMaskThatHasChangedIsNoticed) {
  const Tensor q = rand({3, 2}).requires_grad_(), mask = zeros({3, 3});
  const Tensor y = sum(scaled_dot_product_attention(q, q, q, {.mask = mask}));
  fill_(mask, 1);
  EXPECT_FAILS(y.backward(), "changed in place");
}

Tensor trained(const Tensor& q) {
  const Tensor x = q.detach().requires_grad_();
  sum(scaled_dot_product_attention(x, x, x, {.causal = true, .dropout = 0.1})).backward();
  return x.grad();
}

TEST(Attention, ValuesDoNotDependOnTheNumberOfThreads) {
  const Tensor q = rand({3, 2, 150, 20});
  expect_independent_of_threads([&] {
    manual_seed(5);
    return trained(q);
  });
}

// Bytes that a forward and backward pass take from the system, when nothing is cached.
int64_t bytes_for(int64_t length) {
  const Tensor q = rand({1, 2, length, 16});
  trained(rand({1, 2, 64, 16}));
  memory::release_cached();
  const int64_t before = memory::statistics().system_bytes;
  trained(q);
  return memory::statistics().system_bytes - before;
}

TEST(Attention, MemoryGrowsWithTheLengthAndNotWithItsSquare) {
  const int64_t shorter = bytes_for(512), longer = bytes_for(2048);
  EXPECT_LT(longer, 4.5 * static_cast<double>(shorter));
  EXPECT_LT(longer, 2048 * 2048 * 4);  // less than one matrix of scores of one head
}

}  // namespace
}  // namespace scry
