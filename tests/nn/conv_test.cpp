#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

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
          {3, 6, {.kernel = 2, .stride = 2, .padding = 1, .dilation = {1, 2}, .groups = 3, .bias = false}},
          {2, 2, {.kernel = {4, 2}, .padding = Padding::same, .dilation = {1, 3}}},
          {1, 2, {.kernel = 3, .stride = 2, .padding = {{2, 0}, {1, 1}}, .padding_mode = PadMode::reflect}},
          {2, 1, {.kernel = {2, 3}, .padding = Padding::same, .padding_mode = PadMode::replicate}},
          {2, 2, {.kernel = 3, .padding = {1, 2}, .groups = 2, .padding_mode = PadMode::circular}}};
}

// The place on an axis of n that stands at `i`, which may lie beyond its ends; -1 for zeros.
int64_t shown(int64_t i, int64_t n, PadMode mode) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case PadMode::reflect: return i < 0 ? -i : 2 * (n - 1) - i;
    case PadMode::replicate: return i < 0 ? 0 : n - 1;
    case PadMode::circular: return (i + n) % n;
    default: return -1;
  }
}

// Seven loops, from the definition. x: [N, C, H, W], and so is the weight.
Tensor reference(const Tensor& weight, const Tensor& bias, const Conv2dOptions& options, const Tensor& x) {
  const auto& [kernel, stride, padding, dilation, groups, has_bias, mode, dtype] = options;
  const auto before = [&](int64_t given, int64_t k, int64_t d) { return padding.automatic ? d * (k - 1) / 2 : given; };
  const auto size = [&](int64_t in, int64_t k, int64_t s, int64_t first, int64_t last, int64_t d) {
    return padding.automatic ? in : (in + first + last - d * (k - 1) - 1) / s + 1;
  };
  const int64_t top = before(padding.before.height, kernel.height, dilation.height),
                left = before(padding.before.width, kernel.width, dilation.width);
  const Tensor y = zeros({x.size(0), weight.size(0), size(x.size(2), kernel.height, stride.height, top, padding.after.height, dilation.height),
                          size(x.size(3), kernel.width, stride.width, left, padding.after.width, dilation.width)},
                         f64);
  const int64_t each = x.size(1) / groups, outs = weight.size(0) / groups;
  each_index(y.shape(), [&](std::span<const int64_t> i) {
    double sum = bias.defined() ? element<double>(bias, {i[1]}) : 0;
    for (int64_t c = 0; c < each; ++c) {
      for (int64_t a = 0; a < kernel.height; ++a) {
        for (int64_t b = 0; b < kernel.width; ++b) {
          const int64_t row = shown(i[2] * stride.height - top + a * dilation.height, x.size(2), mode),
                        column = shown(i[3] * stride.width - left + b * dilation.width, x.size(3), mode);
          if (row < 0 || column < 0) continue;
          sum += element<double>(x, {i[0], i[1] / outs * each + c, row, column}) * element<double>(weight, {i[1], c, a, b});
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
    expect_close(y, reference(layer.weight, layer.bias, c.options, x), 1e-13);
    c.options.dtype = f32;
    const Conv2d single(c.in, c.out, c.options);
    load(single, layer);
    expect_close(single(cast(x, f32)), y, 2e-6);
  }
}

TEST(Conv1d, ValuesAndGradients) {
  for (Case c : cases()) {
    c.options.dtype = f64;
    const Conv1d layer(c.in, c.out, c.options);
    const Tensor x = uniform({2, c.in, 8}, -1, 1, f64), y = layer(x);
    SCOPED_TRACE(layer.describe());
    EXPECT_EQ(layer.weight.shape(), (Shape{c.out, c.in / c.options.groups, c.options.kernel.width}));
    Conv2dOptions flat = c.options;
    flat.kernel.height = flat.stride.height = flat.dilation.height = 1;
    flat.padding.before.height = flat.padding.after.height = 0;
    expect_close(y, squeeze(reference(unsqueeze(layer.weight, 2), layer.bias, flat, unsqueeze(x, 2)), 2), 1e-13);
    check_gradients(layer, {2, c.in, 7});
  }
}

TEST(Conv2d, Gradients) {
  for (Case c : cases()) {
    c.options.dtype = f64;
    const Conv2d layer(c.in, c.out, c.options);
    SCOPED_TRACE(layer.describe());
    check_gradients(layer, {1, c.in, 4, 5});
  }
}

// <conv(x), y> = <x, conv_transpose(y)> for one weight.
template <class Conv, class ConvTranspose>
void check_transposed(const ConvTranspose2dOptions& o, const Shape& x, const Shape& result) {
  const ConvTranspose layer(x[1], result[1], o);
  const Conv other(
      result[1], x[1],
      {.kernel = o.kernel, .stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups, .bias = false, .dtype = f64});
  SCOPED_TRACE(layer.describe());
  {
    const NoGrad guard;
    copy_(other.weight, layer.weight);
    if (o.bias) zero_(layer.bias);
  }
  const Tensor in = uniform(x, -1, 1, f64), y = layer(in), v = uniform(result, -1, 1, f64);
  ASSERT_EQ(y.shape(), result);
  EXPECT_NEAR(sum(y * v).item(), sum(other(v) * in).item(), 1e-12);
  if (o.bias) {
    const NoGrad guard;
    fill_(layer.bias, 2);
    expect_close(layer(in), y + 2, 1e-14);
  }
  check_gradients(layer, x);
}

TEST(ConvTranspose, IsTheTransposeOfConv) {
  check_transposed<Conv2d, ConvTranspose2d>({.kernel = 3, .dtype = f64}, {2, 2, 3, 2}, {2, 3, 5, 4});
  check_transposed<Conv2d, ConvTranspose2d>(
      {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 0}, .groups = 2, .bias = false, .dtype = f64}, {1, 4, 3, 2},
      {1, 2, 6, 5});
  check_transposed<Conv2d, ConvTranspose2d>({.kernel = 2, .padding = {{1, 0}, {0, 1}}, .dilation = {1, 2}, .dtype = f64}, {1, 2, 3, 3}, {1, 1, 3, 4});
  check_transposed<Conv1d, ConvTranspose1d>({.kernel = 4, .stride = 2, .padding = 1, .output_padding = 1, .groups = 3, .dilation = 2, .dtype = f64},
                                            {2, 3, 4}, {2, 6, 12});
}

TEST(ConvTranspose, StartsUniformByPyTorchsCount) {
  const ConvTranspose2d layer(8, 50, {.kernel = 4, .groups = 2});  // 25 * 16 products for each input
  EXPECT_EQ(layer.weight.shape(), (Shape{8, 25, 4, 4}));
  EXPECT_LE(max(abs(layer.weight)).item(), 0.05);
  EXPECT_GT(max(abs(layer.weight)).item(), 0.0495);
  EXPECT_LE(max(abs(layer.bias)).item(), 0.05);
  EXPECT_EQ(layer.describe(), "nn.ConvTranspose2d 8 -> 50, kernel 4");
}

TEST(ConvTranspose, Errors) {
  const ConvTranspose2d layer(3, 2, {.kernel = 3});
  EXPECT_FAILS(layer(zeros({1, 4, 5, 5})), "nn.ConvTranspose2d 3 -> 2", "expected 3 input channels", "[1, 4, 5, 5]");
  EXPECT_FAILS(layer(zeros({3, 5, 5})), "nn.ConvTranspose2d", "[N, C, H, W]", "[3, 5, 5]");
  EXPECT_FAILS(layer(zeros({1, 3, 5, 5}, f64)), "nn.ConvTranspose2d", "f64", "f32");
  EXPECT_FAILS(layer(zeros({1, 3, 0, 5})), "nn.ConvTranspose2d", "at least one");
  EXPECT_FAILS(layer(Tensor{}), "nn.ConvTranspose2d", "undefined");
  EXPECT_FAILS(ConvTranspose2d(3, 2, {.kernel = 3, .output_padding = 1})(zeros({1, 3, 5, 5})), "output padding of 1", "stride");
  EXPECT_FAILS(ConvTranspose1d(3, 2, {.kernel = 3, .padding = 4})(zeros({1, 3, 5})), "nn.ConvTranspose1d", "less padding");
  EXPECT_FAILS(ConvTranspose1d(3, 2, {.kernel = 3, .groups = 2}), "nn.ConvTranspose1d", "2 groups");
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
  EXPECT_EQ(Conv1d(4, 6, {.kernel = {3, 2}}).describe(), "nn.Conv1d 4 -> 6, kernel 2");
}

TEST(Conv2d, Errors) {
  const Conv2d layer(3, 2, {.kernel = 3});
  EXPECT_FAILS(layer(zeros({1, 4, 5, 5})), "nn.Conv2d 3 -> 2, kernel 3", "expected 3 input channels", "[1, 4, 5, 5]");
  EXPECT_FAILS(layer(zeros({3, 5, 5})), "nn.Conv2d 3 -> 2", "[N, C, H, W]", "[3, 5, 5]");
  EXPECT_FAILS(layer(zeros({1, 3, 5, 5}, f64)), "nn.Conv2d 3 -> 2", "f64", "f32");
  EXPECT_FAILS(layer(zeros({1, 3, 5, 5}, i64)), "nn.Conv2d 3 -> 2", "i64");
  EXPECT_FAILS(layer(zeros({1, 3, 2, 5})), "nn.Conv2d 3 -> 2", "2");
  EXPECT_FAILS(layer(Tensor{}), "nn.Conv2d 3 -> 2", "undefined");
  EXPECT_FAILS(Conv2d(0, 2, {.kernel = 3}), "nn.Conv2d", "2 and 0");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 0}), "nn.Conv2d", "kernel");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .groups = 2}), "nn.Conv2d", "2 groups");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .groups = 0}), "nn.Conv2d", "0 groups");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .stride = 0})(zeros({1, 3, 5, 5})), "stride");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .stride = 2, .padding = Padding::same})(zeros({1, 3, 5, 5})), "strides of 1");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .padding = 5, .padding_mode = PadMode::reflect})(zeros({1, 3, 5, 5})), "nn.Conv2d", "pad");
  const Conv1d sequence(3, 2, {.kernel = 3});
  EXPECT_FAILS(sequence(zeros({1, 4, 5})), "nn.Conv1d 3 -> 2, kernel 3", "expected 3 input channels", "[1, 4, 5]");
  EXPECT_FAILS(sequence(zeros({3, 5})), "nn.Conv1d 3 -> 2", "[N, C, L]", "[3, 5]");
  EXPECT_FAILS(sequence(zeros({1, 3, 5}, f64)), "nn.Conv1d 3 -> 2", "f64", "f32");
  EXPECT_FAILS(sequence(zeros({1, 3, 2})), "nn.Conv1d 3 -> 2", "larger than the padded input");
  EXPECT_FAILS(Conv2d(3, 2, {.kernel = 3, .padding = -1})(zeros({1, 3, 5, 5})), "padding");
}

}  // namespace
}  // namespace scry::nn
