// What the op table's random inputs don't reach: special values, empty axes, ties, element types, and large counts.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <cmath>
#include <gtest/gtest.h>

namespace scry {
namespace {

const float nan = NAN, inf = INFINITY;

Tensor of(const std::vector<float>& values) { return Tensor::of(values, {static_cast<int64_t>(values.size())}); }

TEST(Reduction, NanIsLargestAndSmallest) {
  const Tensor x = of({1, nan, 3, nan});
  EXPECT_TRUE(std::isnan(amax(x).item()));
  EXPECT_TRUE(std::isnan(amin(x).item()));
  EXPECT_EQ(argmax(x).item(), 1);
  EXPECT_EQ(min(x, 0).indices.item(), 1);
  EXPECT_EQ(argsort(x).to_vector<int64_t>(), (std::vector<int64_t>{0, 2, 1, 3}));
  EXPECT_EQ(argsort(x, 0, true).to_vector<int64_t>(), (std::vector<int64_t>{1, 3, 2, 0}));
  EXPECT_TRUE(std::isnan(norm(x).item()));
  EXPECT_EQ(any(x).item(), 1);
  EXPECT_EQ(count_nonzero(of({0, nan, -0.0f})).item(), 1);
}

TEST(Reduction, OfNothingIsTheIdentity) {
  const Tensor x = zeros({2, 0});
  EXPECT_EQ(sum(x, 1).to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(prod(x, 1).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(norm(x).item(), 0);
  EXPECT_EQ(all(x).item(), 1);
  EXPECT_EQ(any(x).item(), 0);
  EXPECT_EQ(logsumexp(x).item(), -INFINITY);
  EXPECT_TRUE(std::isnan(var(x).item()));
  EXPECT_TRUE(std::isnan(mean(x).item()));
  EXPECT_EQ(amax(x, 0).shape(), Shape{0});
  EXPECT_EQ(sort(x).values.shape(), (Shape{2, 0}));
  EXPECT_EQ(cumsum(x, 1).shape(), (Shape{2, 0}));
  EXPECT_THROW(amax(x), Error);
  EXPECT_THROW(argmax(x, 1), Error);
  EXPECT_THROW(norm(x, INFINITY), Error);
}

TEST(Reduction, ScalarsHaveNoAxesToLose) {
  const Tensor x = scalar(3).requires_grad_();
  EXPECT_EQ(sort(x).values.shape(), Shape{});
  EXPECT_EQ(topk(x, 1).indices.item(), 0);
  EXPECT_EQ(argmax(x).item(), 0);
  EXPECT_TRUE(std::isnan(var(x).item()));
  (prod(x) + norm(x) + amax(x)).backward();
  EXPECT_EQ(x.grad().item(), 3);
}

TEST(Reduction, ExtremesShareTheGradientAmongTies) {
  const Tensor x = of({2, 1, 2, 0}).requires_grad_();
  (amax(x) + max(x)).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{1, 0, 1, 0}));
  const Tensor z = of({2, 1, 2, 0}).requires_grad_();
  max(z, 0).values.backward();
  EXPECT_EQ(z.grad().to_vector<float>(), (std::vector<float>{1, 0, 0, 0}));
}

TEST(Reduction, FlatPlacesPassOnNothing) {
  for (const auto& f :
       {+[](const Tensor& x) { return norm(x); }, +[](const Tensor& x) { return std(x); }, +[](const Tensor& x) { return norm(x, 0.5); }}) {
    const Tensor x = zeros({3}).requires_grad_();
    f(x).backward();
    EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0, 0}));
  }
}

TEST(Reduction, IntegersGiveIntegers) {
  const Tensor x = Tensor::of(std::vector<uint8_t>{200, 100, 0, 3}, {2, 2});
  EXPECT_EQ(sum(x).dtype(), i64);
  EXPECT_EQ(prod(x, 0).to_vector<int64_t>(), (std::vector<int64_t>{0, 300}));
  EXPECT_EQ(cumsum(x, 1).to_vector<int64_t>(), (std::vector<int64_t>{200, 300, 0, 3}));
  EXPECT_EQ(amax(x, 1).dtype(), u8);
  EXPECT_EQ(amin(x).item(), 0);
  EXPECT_EQ(cast(all(x, 0), u8).to_vector<uint8_t>(), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(sort(x, 0).values.to_vector<uint8_t>(), (std::vector<uint8_t>{0, 3, 200, 100}));
  EXPECT_EQ(argmax(Tensor::of(std::vector<int64_t>{INT64_MIN, INT64_MAX}, {2})).item(), 1);
  EXPECT_EQ(prod(Tensor::of(std::vector<int64_t>{INT64_MAX, 2}, {2})).item<int64_t>(), -2);
}

TEST(Reduction, LogsumexpOfInfinities) {
  EXPECT_EQ(logsumexp(of({-inf, -inf})).item(), -INFINITY);
  EXPECT_EQ(logsumexp(of({1, inf})).item(), INFINITY);
  EXPECT_NEAR(logsumexp(of({1000, 1000})).item(), 1000 + std::log(2), 1e-4);
}

TEST(Reduction, EqualElementsStayInOrder) {
  const Tensor x = cast(randint(0, 3, {1000}), f32);
  for (const bool descending : {false, true}) {
    const auto [values, indices] = sort(x, 0, descending);
    const auto v = values.to_vector<float>();
    const auto i = indices.to_vector<int64_t>();
    for (size_t j = 1; j < v.size(); ++j) {
      ASSERT_TRUE(descending ? v[j - 1] >= v[j] : v[j - 1] <= v[j]);
      ASSERT_TRUE(v[j - 1] != v[j] || i[j - 1] < i[j]);
    }
    EXPECT_EQ(topk(x, 10, 0, descending).indices.to_vector<int64_t>(), std::vector<int64_t>(i.begin(), i.begin() + 10));
  }
}

TEST(Reduction, HundredMillionElements) {
  const Tensor x = expand(scalar(0.1), {100'000'000});
  const double value = static_cast<double>(0.1f);
  EXPECT_NEAR(sum(x).item() / (value * 1e8), 1, 1e-7);
  EXPECT_NEAR(mean(x).item() / value, 1, 1e-7);
  EXPECT_NEAR(norm(x).item() / (value * 1e4), 1, 1e-7);
  EXPECT_EQ(var(x).item(), 0);
}

TEST(Reduction, LongColumnsOfEveryWidth) {
  for (const int64_t columns : {1, 3, 100, 129, 2050, 5000}) {
    const int64_t rows = 3 * (1 << 18) / columns;
    const Tensor x = expand(reshape(arange(0, static_cast<double>(columns)), {1, columns}), {rows, columns}), dense = contiguous(x);
    const auto expected = (arange(0, static_cast<double>(columns)) * static_cast<double>(rows)).to_vector<float>();
    EXPECT_EQ(sum(dense, 0).to_vector<float>(), expected);
    EXPECT_EQ(sum(x, 0).to_vector<float>(), expected);
    EXPECT_EQ(amax(var(dense, 0)).item(), 0);
    EXPECT_EQ(amax(argmin(dense, 0)).item(), 0);
  }
}

TEST(LayerNorm, IsExactFarFromZero) {
  const Tensor x = randn({4, 256}, f32);
  const Tensor far = x + 4096, y = layer_norm(cast(far, f64), {256}), z = layer_norm(far, {256});
  EXPECT_LT(amax(norm(y - z, INFINITY)).item(), 1e-5);
}

TEST(Einsum, ErrorsNameTheSubscript) {
  try {
    einsum("ij,jk->ik", {zeros({2, 3}), zeros({4, 5})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'j'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace scry
