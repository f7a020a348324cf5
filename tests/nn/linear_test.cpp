#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

TEST(Linear, Values) {
  for (const bool bias : {true, false}) {
    for (const Shape& shape : {Shape{5, 3}, Shape{3}, Shape{2, 4, 3}, Shape{0, 3}}) {
      const Linear layer(3, 4, {.bias = bias, .dtype = f64});
      const Tensor x = rand(shape, f64), y = layer(x);
      Shape expected = shape;
      expected[shape.rank() - 1] = 4;
      ASSERT_EQ(y.shape(), expected);
      each_index(y.shape(), [&](std::span<const int64_t> i) {
        std::vector<int64_t> at(i.begin(), i.end());
        double sum = bias ? element<double>(layer.bias, {i.back()}) : 0;
        for (int64_t k = 0; k < 3; ++k) {
          at.back() = k;
          sum += element<double>(x, at) * element<double>(layer.weight, {i.back(), k});
        }
        EXPECT_NEAR(element<double>(y, i), sum, 1e-14);
      });
    }
  }
}

TEST(Linear, Gradients) {
  for (const bool bias : {true, false})
    for (const Shape& shape : {Shape{5, 3}, Shape{3}, Shape{2, 2, 3}}) check_gradients(Linear(3, 4, {.bias = bias, .dtype = f64}), shape);
}

TEST(Linear, StartsUniformByItsInputs) {
  manual_seed(1);
  const Linear layer(400, 300);
  for (const Tensor& p : layer.parameters()) {
    double largest = 0, squares = 0;
    for (const double v : p.to_vector<double>()) {
      largest = std::max(largest, std::abs(v));
      squares += v * v;
    }
    EXPECT_LE(largest, 0.05);
    EXPECT_GT(largest, 0.049);
    EXPECT_NEAR(squares / static_cast<double>(p.numel()), 0.05 * 0.05 / 3, 1e-4);
  }
  manual_seed(1);
  EXPECT_TRUE(same_bits(Linear(400, 300).weight, layer.weight));
  manual_seed(2);
  EXPECT_FALSE(same_bits(Linear(400, 300).weight, layer.weight));
  manual_seed(0);
}

TEST(Linear, ModeDoesNotMatter) {
  const Linear layer(3, 2);
  const Tensor x = rand({4, 3}), trained = layer(x);
  layer.eval();
  EXPECT_TRUE(same_bits(layer(x), trained));
}

TEST(Linear, Errors) {
  const Linear layer(3, 2);
  EXPECT_FAILS(layer(zeros({4, 5})), "nn.Linear 3 -> 2", "expected 3 features", "[4, 5]");
  EXPECT_FAILS(layer(zeros({})), "nn.Linear 3 -> 2", "[]");
  EXPECT_FAILS(layer(zeros({4, 3}, f64)), "nn.Linear 3 -> 2", "f64", "f32", "cast");
  EXPECT_FAILS(layer(zeros({4, 3}, i64)), "nn.Linear 3 -> 2", "i64");
  EXPECT_FAILS(layer(Tensor{}), "nn.Linear 3 -> 2", "undefined");
  EXPECT_FAILS(Linear(0, 2), "nn.Linear", "0 -> 2");
  EXPECT_FAILS(Linear(3, -1), "nn.Linear", "3 -> -1");
  EXPECT_FAILS(Linear(3, 2, {.dtype = i64}), "i64");
}

}  // namespace
}  // namespace scry::nn
