// Products with the Hessian.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/hessian.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/random.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;
using Values = std::vector<double>;

TEST(Hvp, OfAQuadraticFormIsItsMatrix) {
  Generator generator(3);
  const Tensor m = uniform({4, 4}, -1, 1, f64, generator), x = uniform({4}, -1, 1, f64, generator).requires_grad_();
  const Tensor v = uniform({4}, -1, 1, f64, generator);
  const Tensor loss = sum(x * matmul(m, x));
  const Values got = hvp(loss, x, v).to_vector<double>(), expected = matmul(m + transpose(m, 0, 1), v).to_vector<double>();
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(got[i], expected[i], 1e-14);
  EXPECT_TRUE(same_bits(hvp(loss, x, v), hvp(loss, x, v)));  // the graph stays
  EXPECT_FALSE(x.grad().defined());
}

TEST(Hvp, CrossesInputsAndIsZeroWhereNothingVaries) {
  const Tensor a = Tensor::of<double>({2, 3}, {2}).requires_grad_(), b = Tensor::of<double>({5}, {1}).requires_grad_();
  const Tensor line = Tensor::of<double>({1}, {1}).requires_grad_(), unused = Tensor::of<double>({1}, {1}).requires_grad_();
  const Tensor loss = sum(a * a * b) + sum(line * 3);
  const Tensor inputs[] = {a, b, line, unused};
  const Tensor vectors[] = {Tensor::of<double>({1, 10}, {2}), Tensor::of<double>({100}, {1}), line, unused};
  const std::vector<Tensor> products = hvp(loss, inputs, vectors);
  EXPECT_EQ(products[0].to_vector<double>(), (Values{2 * 5 * 1 + 2 * 2 * 100, 2 * 5 * 10 + 2 * 3 * 100}));
  EXPECT_EQ(products[1].to_vector<double>(), (Values{2 * 2 * 1 + 2 * 3 * 10}));
  EXPECT_EQ(products[2].to_vector<double>(), (Values{0}));
  EXPECT_EQ(products[3].to_vector<double>(), (Values{0}));
  EXPECT_EQ(hvp(sum(line * 3), line, line).item(), 0);
}

TEST(Hvp, BadOnesAreErrors) {
  const Tensor x = Tensor::of<double>({2, 3}, {2}).requires_grad_();
  EXPECT_FAILS(hvp(sum(x * x), x, sum(x)), "hvp", "[2]", "[]");
  EXPECT_FAILS(hvp(x * x, x, x), "backward", "[2]");
}

}  // namespace
}  // namespace scry
