#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::testing;

struct Case {
  int64_t in, out;
  Conv2dOptions options;
};

std::vector<Case> cases() {
  return {{1, 2, {.kernel = 1}},
          {2, 3, {.kernel = 3}},
          {2, 3, {.kernel = {3, 2}, .stride = 2, .padding = {1, 0}}},
          {2, 2, {.kernel = 2, .stride = {1, 3}, .padding = 2, .bias = false}},
          {2, 4, {.kernel = {2, 3}, .dilation = 2}},
          {4, 6, {.kernel = 3, .padding = 1, .groups = 2}},
          {3, 3, {.kernel = 3, .padding = 1, .groups = 3}},
          {3, 6, {.kernel = 2, .stride = 2, .padding = 1, .dilation = {1, 2}, .groups = 3, .bias = false}}};
}

// Seven loops, from the definition.
Tensor reference(const Conv2d& layer, const Tensor& x) {
  const auto& [kernel, stride, padding, dilation, groups, bias, dtype] = layer.options;
  const auto size = [](int64_t in, int64_t k, int64_t s, int64_t p, int64_t d) { return (in + 2 * p - d * (k - 1) - 1) / s + 1; };
  const Tensor y = zeros({x.size(0), layer.weight.size(0), size(x.size(2), kernel.height, stride.height, padding.height, dilation.height),
                          size(x.size(3), kernel.width, stride.width, padding.width, dilation.width)},
                         f64);
  const int64_t each = x.size(1) / groups, outs = layer.weight.size(0) / groups;
  each_index(y.shape(), [&](std::span<const int64_t> i) {
    double sum = bias ? element<double>(layer.bias, {i[1]}) : 0;
    for (int64_t c = 0; c < each; ++c) {
      for (int64_t a = 0; a < kernel.height; ++a) {
        for (int64_t b = 0; b < kernel.width; ++b) {
          const int64_t row = i[2] * stride.height - padding.height + a * dilation.height,
                        column = i[3] * stride.width - padding.width + b * dilation.width;
          if (row < 0 || row >= x.size(2) || column < 0 || column >= x.size(3)) continue;
          sum += element<double>(x, {i[0], i[1] / outs * each + c, row, column}) * element<double>(layer.weight, {i[1], c, a, b});
        }
      }
    }
    element<double>(y, i) = sum;
  });
  return y;
}

TEST(Conv2d, Values) {
  for (Case c : cases()) {
    c.options.dtype = f64;
    const Conv2d layer(c.in, c.out, c.options);
    const Tensor x = uniform({2, c.in, 6, 7}, -1, 1, f64), y = layer(x);
    SCOPED_TRACE(layer.describe());
    expect_close(y, reference(layer, x), 1e-13);
    c.options.dtype = f32;
    const Conv2d single(c.in, c.out, c.options);
    load(single, layer);
    expect_close(single(cast(x, f32)), y, 2e-6);
  }
}

TEST(Conv2d, Gradients) {
  for (Case c : cases()) {
    c.options.dtype = f64;
    const Conv2d layer(c.in, c.out, c.options);
    SCOPED_TRACE(layer.describe());
    check_gradients(layer, {2, c.in, 4, 5});
  }
}

TEST(Conv2d, StartsUniformByItsInputs) {
  const Conv2d layer(8, 40, {.kernel = 5, .groups = 2});  // 4 * 25 inputs to each output
  double largest = 0;
  for (const double v : layer.weight.to_vector<double>()) largest = std::max(largest, std::abs(v));
  EXPECT_LE(largest, 0.1);
  EXPECT_GT(largest, 0.099);
  for (const double v : layer.bias.to_vector<double>()) EXPECT_LE(std::abs(v), 0.1);
  EXPECT_EQ(layer.weight.shape(), (Shape{40, 4, 5, 5}));
}

TEST(Conv2d, ModeDoesNotMatter) {
  const Conv2d layer(1, 2, {.kernel = 3});
  const Tensor x = rand({1, 1, 5, 5}), trained = layer(x);
  layer.eval();
  EXPECT_TRUE(same_bits(layer(x), trained));
}

TEST(Conv2d, Describes) {
  EXPECT_EQ(Conv2d(4, 6, {.kernel = {3, 2}, .groups = 2}).describe(), "nn.Conv2d 4 -> 6, kernel 3 x 2");
  EXPECT_EQ(Conv2d(4, 6, {.kernel = 5}).describe(), "nn.Conv2d 4 -> 6, kernel 5");
}

TEST(Conv2d, Errors) {
  const Conv2d layer(3, 2, {.kernel = 3});
  EXPECT_FAILS(layer(zeros({1, 4, 5, 5})), "nn.Conv2d 3 -> 2, kernel 3", "expected 3 input channels", "[1, 4, 5, 5]");
  EXPECT_FAILS(layer(zeros({3, 5, 5})), "nn.Conv2d 3 -> 2", "[N, C, H, W]", "[3, 5, 5]");
  EXPECT_FAILS(layer(zeros({1, 3, 5, 5}, f64)), "nn.Conv2d 3 -> 2", "f64", "f32");
  EXPECT_FAILS(layer(zeros({1, 3, 5, 5}, i64)), "nn.Conv2d 3 -> 2", "i64");
  EXPECT_FAILS(layer(zeros({1, 3, 2, 5})), "nn.Conv2d 3 -> 2", "2");
  EXPECT_FAILS(layer(Tensor{}), "nn.Conv2d 3 -> 2", "undefined");
  EXPECT_FAILS(Conv2d(0, 2, {.kernel = 3}), "nn.Conv2d", "0 -> 2");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 0}), "nn.Conv2d", "kernel");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .groups = 2}), "nn.Conv2d", "2 groups");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .groups = 0}), "nn.Conv2d", "0 groups");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .stride = 0})(zeros({1, 3, 5, 5})), "stride");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .padding = -1})(zeros({1, 3, 5, 5})), "padding");
}

}  // namespace
}  // namespace scry::nn
