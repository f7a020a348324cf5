#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

// Values are held to loops in the op table's rows; here it is what layers add: options that arrive, modes, gradients, errors.
TEST(Pool, LayersAreTheirOps) {
  const Tensor image = uniform({2, 3, 7, 6}, -1, 1, f64), line = uniform({2, 3, 11}, -1, 1, f64), positive = abs(image);
  const MaxPoolOptions most{.stride = Pair{2, 1}, .padding = 1, .dilation = {1, 2}, .ceil_mode = true};
  const AvgPoolOptions mean{.stride = Pair{2, 1}, .padding = 1, .ceil_mode = true, .count_include_pad = false};
  const AvgPoolOptions by_five{.divisor_override = 5};
  const LpPoolOptions lp{.stride = 1, .ceil_mode = true};
  EXPECT_TRUE(same_bits(MaxPool2d({3, 2}, most)(image), max_pool2d(image, {3, 2}, most)));
  EXPECT_TRUE(same_bits(MaxPool1d(3, most)(line), max_pool1d(line, 3, most)));
  EXPECT_TRUE(same_bits(AvgPool2d({3, 2}, mean)(image), avg_pool2d(image, {3, 2}, mean)));
  EXPECT_TRUE(same_bits(AvgPool1d(3, by_five)(line), avg_pool1d(line, 3, by_five)));
  EXPECT_TRUE(same_bits(LPPool2d(3, 2, lp)(positive), lp_pool2d(positive, 3, 2, lp)));
  EXPECT_TRUE(same_bits(LPPool1d(2, 3)(line), lp_pool1d(line, 2, 3)));
  EXPECT_TRUE(same_bits(AdaptiveAvgPool2d({2, 5})(image), adaptive_avg_pool2d(image, {2, 5})));
  EXPECT_TRUE(same_bits(AdaptiveAvgPool1d(4)(line), adaptive_avg_pool1d(line, 4)));
  EXPECT_TRUE(same_bits(AdaptiveMaxPool2d({2, 5})(image), adaptive_max_pool2d(image, {2, 5})));
  EXPECT_TRUE(same_bits(AdaptiveMaxPool1d(4)(line), adaptive_max_pool1d(line, 4)));
}

TEST(Pool, StridesAreTheKernelByDefault) {
  const Tensor x = zeros({1, 1, 9, 8});
  EXPECT_EQ(MaxPool2d(2)(x).shape(), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(AvgPool2d({3, 2})(x).shape(), (Shape{1, 1, 3, 4}));
  EXPECT_EQ(MaxPool2d(2, {.ceil_mode = true})(x).shape(), (Shape{1, 1, 5, 4}));
  EXPECT_EQ(AdaptiveAvgPool2d(1)(x).shape(), (Shape{1, 1, 1, 1}));
}

TEST(Pool, GlobalPoolingIsOverEverything) {
  const Tensor x = uniform({3, 40, 7, 9}, -1, 1);
  expect_close(flatten(AdaptiveAvgPool2d(1)(x), 1), mean(x, {2, 3}), 1e-6);
  EXPECT_TRUE(same_bits(flatten(AdaptiveMaxPool2d(1)(x), 1), amax(x, {2, 3})));
}

TEST(Pool, Gradients) {
  check_gradients(MaxPool2d(2), {2, 2, 4, 5});
  check_gradients(MaxPool2d(3, {.stride = 2, .padding = 1}), {1, 2, 5, 4});
  check_gradients(MaxPool2d({2, 3}, {.stride = 1, .ceil_mode = true}), {1, 1, 4, 5});
  check_gradients(MaxPool1d(2, {.dilation = 2}), {1, 2, 7});
  check_gradients(AvgPool2d(3, {.stride = 2, .padding = 1, .count_include_pad = false}), {1, 2, 5, 4});
  check_gradients(AvgPool1d(2, {.ceil_mode = true}), {2, 1, 5});
  check_gradients(LPPool2d(2, 2), {1, 2, 4, 4});
  check_gradients(AdaptiveAvgPool2d({2, 3}), {1, 2, 3, 4});
  check_gradients(AdaptiveAvgPool1d(2), {1, 2, 5});
  check_gradients(AdaptiveMaxPool2d({2, 3}), {1, 2, 3, 4});
  check_gradients(AdaptiveMaxPool1d(2), {1, 2, 5});
}

TEST(Pool, UnpoolingPutsMaximaBack) {
  const Tensor x = uniform({2, 3, 4, 6}, 1, 2);
  const MaxPooled pooled = max_pool2d_with_indices(x, 2);
  const Tensor back = max_unpool2d(pooled.values, pooled.indices, {4, 6});
  EXPECT_TRUE(same_bits(max_pool2d(back, 2), pooled.values));
  EXPECT_TRUE(all(logical_or(eq(back, 0), eq(back, x))).item<bool>());
  EXPECT_EQ(count_nonzero(back).item<int64_t>(), pooled.values.numel());
  EXPECT_FAILS(max_unpool2d(pooled.values, pooled.indices, {2, 2}), "scatter", "4");
}

TEST(Pool, Errors) {
  const MaxPool2d layer(2);
  EXPECT_FAILS(layer(zeros({3, 4, 4})), "nn.MaxPool2d 2", "4 axes", "[3, 4, 4]");
  EXPECT_FAILS(layer(zeros({1, 3, 4, 4}, i64)), "nn.MaxPool2d", "i64");
  EXPECT_FAILS(layer(zeros({1, 3, 1, 4})), "nn.MaxPool2d", "larger than the padded input");
  EXPECT_FAILS(layer(Tensor{}), "nn.MaxPool2d", "undefined");
  EXPECT_FAILS(MaxPool2d({2, 3}, {.padding = 2})(zeros({1, 1, 4, 4})), "nn.MaxPool2d 2 x 3", "padding of 2", "smaller than the kernel of 2");
  EXPECT_FAILS(MaxPool2d(0)(zeros({1, 1, 4, 4})), "kernel");
  EXPECT_FAILS(MaxPool2d(2, {.stride = 0})(zeros({1, 1, 4, 4})), "stride");
  EXPECT_FAILS(MaxPool1d(2)(zeros({1, 1, 4, 4})), "nn.MaxPool1d 2", "3 axes");
  EXPECT_FAILS(AvgPool2d(2)(zeros({1, 4, 4})), "nn.AvgPool2d 2", "4 axes");
  EXPECT_FAILS(AvgPool1d(2)(zeros({1, 4, 4}, i64)), "nn.AvgPool1d 2", "i64");
  EXPECT_FAILS(AvgPool2d(2, {.divisor_override = 0})(zeros({1, 1, 4, 4})), "divisor");
  EXPECT_FAILS(LPPool2d(0, 2)(zeros({1, 1, 4, 4})), "nn.LPPool2d p 0, 2", "above 0");
  EXPECT_FAILS(AdaptiveAvgPool2d({0, 1})(zeros({1, 1, 4, 4})), "nn.AdaptiveAvgPool2d 0 x 1", "from 1 to below");
  EXPECT_FAILS(AdaptiveAvgPool2d(1)(zeros({1, 1, 0, 4})), "nothing to pool");
  EXPECT_FAILS(AdaptiveMaxPool1d(2)(zeros({1, 4})), "nn.AdaptiveMaxPool1d 2", "3 axes");
}

}  // namespace
}  // namespace scry::nn
