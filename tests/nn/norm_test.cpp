#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

// Values of all these are held to loops in the op table's rows; here it is what layers add.
TEST(LayerNorm, NormalisesTheLastAxes) {
  const LayerNorm layer(Shape{3, 4}, {.eps = 1e-3, .dtype = f64}), plain(4, {.elementwise_affine = false}), weight_only(4, {.bias = false});
  const Tensor x = uniform({2, 3, 4}, -1, 5, f64), rows = reshape(x, {2, 12});
  const Tensor center = mean(rows, 1, true), spread = sqrt(var(rows, 1, {.correction = 0, .keepdim = true}) + 1e-3);
  expect_close(layer(x), reshape((rows - center) / spread, x.shape()), 1e-13);
  ASSERT_EQ(layer.named_parameters().size(), 2u);
  EXPECT_EQ(layer.named_parameters()[0].name, "weight");
  EXPECT_EQ(layer.weight.shape(), (Shape{3, 4}));
  EXPECT_EQ(layer.weight.to_vector<double>(), std::vector<double>(12, 1));
  EXPECT_EQ(layer.bias.to_vector<double>(), std::vector<double>(12, 0));
  EXPECT_TRUE(plain.parameters().empty());
  ASSERT_EQ(weight_only.parameters().size(), 1u);
  layer.eval();
  expect_close(layer(x), reshape((rows - center) / spread, x.shape()), 1e-13);
  check_gradients(layer, {2, 3, 4});
  check_gradients(LayerNorm(4, {.bias = false, .dtype = f64}), {3, 4});
  check_gradients(plain, {3, 4});
}

TEST(LayerNorm, Errors) {
  const LayerNorm layer(4);
  EXPECT_FAILS(layer(zeros({2, 3})), "nn.LayerNorm [4]", "[2, 3]");
  EXPECT_FAILS(layer(scalar(1)), "nn.LayerNorm [4]", "[]");
  EXPECT_FAILS(layer(zeros({2, 4}, f64)), "nn.LayerNorm [4]", "f64", "f32");
  EXPECT_FAILS(layer(zeros({2, 4}, i64)), "nn.LayerNorm [4]", "i64");
  EXPECT_FAILS(LayerNorm(Shape{}), "nn.LayerNorm", "at least one axis");
  EXPECT_FAILS(LayerNorm(0), "nn.LayerNorm", "[0]");
}

TEST(RMSNorm, DividesByTheRootMeanSquare) {
  const RMSNorm layer(4, {.dtype = f64}), wide(4, {.eps = 0.5, .elementwise_affine = false});
  const Tensor x = uniform({3, 4}, -2, 2, f64);
  expect_close(layer(x), x / sqrt(mean(x * x, -1, true)), 1e-13);
  expect_close(wide(x), x / sqrt(mean(x * x, -1, true) + 0.5), 1e-13);
  // The default eps is that of the element type: of tiny numbers it decides.
  EXPECT_NEAR(RMSNorm(1)(full({1}, 1e-4)).item(), 1e-4 / std::sqrt(1e-8 + 1.1920929e-7), 1e-6);
  EXPECT_NEAR(layer(full({1, 4}, 1e-4, f64)).to_vector<double>()[0], 1 / std::sqrt(1 + 2.220446e-8), 1e-12);
  EXPECT_TRUE(wide.parameters().empty());
  EXPECT_EQ(layer.named_parameters().size(), 1u);
  check_gradients(layer, {2, 4});
  EXPECT_FAILS(layer(zeros({2, 3}, f64)), "nn.RMSNorm [4]", "[2, 3]");
  EXPECT_FAILS(layer(zeros({2, 4})), "nn.RMSNorm [4]", "f32", "f64");
  EXPECT_FAILS(RMSNorm(Shape{2, 0}), "nn.RMSNorm", "[2, 0]");
}

TEST(GroupNorm, NormalisesGroupsOfChannels) {
  const GroupNorm layer(2, 4, {.eps = 1e-3, .dtype = f64}), plain(4, 4, {.affine = false});
  const Tensor x = uniform({3, 4, 2, 3}, -1, 5, f64), rows = reshape(x, {6, 12});
  const Tensor y = (rows - mean(rows, 1, true)) / sqrt(var(rows, 1, {.correction = 0, .keepdim = true}) + 1e-3);
  expect_close(layer(x), reshape(y, x.shape()), 1e-13);
  expect_close(plain(x), instance_norm(x), 1e-13);
  EXPECT_EQ(layer.weight.shape(), (Shape{4}));
  EXPECT_TRUE(plain.parameters().empty());
  check_gradients(layer, {2, 4, 3});
  check_gradients(plain, {2, 4, 3});
  EXPECT_FAILS(layer(zeros({2, 3, 4}, f64)), "nn.GroupNorm 2 groups of 4 channels", "expected 4 channels", "[2, 3, 4]");
  EXPECT_FAILS(layer(zeros({4}, f64)), "nn.GroupNorm", "[4]");
  EXPECT_FAILS(layer(zeros({2, 4})), "nn.GroupNorm", "f32", "f64");
  EXPECT_FAILS(GroupNorm(3, 4), "nn.GroupNorm", "3 groups", "4 channels");
  EXPECT_FAILS(GroupNorm(0, 4), "nn.GroupNorm", "0 groups");
}

TEST(InstanceNorm, NormalisesEachChannelOfASample) {
  const InstanceNorm2d layer(3, {.affine = true, .dtype = f64});
  const InstanceNorm1d line(3);
  const Tensor x = uniform({2, 3, 4, 5}, -1, 5, f64);
  const auto expected = [](const Tensor& t) {
    const Tensor rows = flatten(t, 2);
    return reshape((rows - mean(rows, 2, true)) / sqrt(var(rows, 2, {.correction = 0, .keepdim = true}) + 1e-5), t.shape());
  };
  expect_close(layer(x), expected(x), 1e-13);
  expect_close(line(flatten(x, 2)), expected(flatten(x, 2)), 1e-13);
  layer.eval();
  expect_close(layer(x), expected(x), 1e-13);
  EXPECT_EQ(layer.named_parameters().size(), 2u);
  EXPECT_TRUE(layer.named_buffers().empty());
  EXPECT_TRUE(line.parameters().empty());
  check_gradients(layer, {2, 3, 2, 2});
  check_gradients(line, {2, 3, 4});
}

TEST(InstanceNorm, TracksStatisticsWhereAsked) {
  const InstanceNorm1d layer(2, {.momentum = 0.25, .track_running_stats = true, .dtype = f64});
  ASSERT_EQ(layer.named_buffers().size(), 3u);
  const Tensor x = uniform({3, 2, 5}, -1, 5, f64);
  layer(x);
  expect_close(layer.running_mean, mean(x, {0, 2}) * 0.25, 1e-13);
  expect_close(layer.running_var, mean(var(x, 2), 0) * 0.25 + 0.75, 1e-13);
  EXPECT_EQ(layer.num_batches_tracked.item<int64_t>(), 0);  // PyTorch doesn't count here
  layer.eval();
  const Tensor before = clone(layer.running_mean), shape = reshape(layer.running_mean, {2, 1});
  expect_close(layer(x), (x - shape) / sqrt(reshape(layer.running_var, {2, 1}) + 1e-5), 1e-13);
  EXPECT_TRUE(same_bits(layer.running_mean, before));
  check_gradients(layer, {2, 2, 3});
}

TEST(InstanceNorm, Errors) {
  const InstanceNorm2d layer(3);
  EXPECT_FAILS(layer(zeros({2, 4, 5, 5})), "nn.InstanceNorm2d 3", "expected 3 channels", "[2, 4, 5, 5]");
  EXPECT_FAILS(layer(zeros({2, 3, 5})), "nn.InstanceNorm2d 3", "[N, C, H, W]", "[2, 3, 5]");
  EXPECT_FAILS(layer(zeros({2, 3, 1, 1})), "nn.InstanceNorm2d 3", "more than one value");
  EXPECT_FAILS(layer(zeros({2, 3, 2, 2}, i64)), "nn.InstanceNorm2d 3", "i64");
  EXPECT_FAILS(InstanceNorm2d(3, {.affine = true})(zeros({2, 3, 2, 2}, f64)), "f64", "f32");
  EXPECT_FAILS(InstanceNorm1d(0), "nn.InstanceNorm1d", "at least one channel");
  EXPECT_FAILS(InstanceNorm1d(3)(zeros({2, 3})), "nn.InstanceNorm1d 3", "[N, C, L]");
}

TEST(LocalResponseNorm, IsItsOp) {
  const Tensor x = uniform({2, 5, 3, 2}, -2, 2, f64);
  const LocalResponseNormOptions o{.alpha = 0.3, .beta = 0.5, .k = 2};
  EXPECT_TRUE(same_bits(LocalResponseNorm(3, o)(x), local_response_norm(x, 3, o)));
  expect_close(LocalResponseNorm(1)(x), x / pow(x * x * 1e-4 + 1, 0.75), 1e-13);
  check_gradients(LocalResponseNorm(3, o), {1, 4, 2});
  EXPECT_FAILS(LocalResponseNorm(3)(zeros({2, 3})), "nn.LocalResponseNorm 3", "[2, 3]");
  EXPECT_FAILS(LocalResponseNorm(0)(x), "nn.LocalResponseNorm 0", "at least 1");
  EXPECT_FAILS(LocalResponseNorm(3)(zeros({1, 2, 3}, i64)), "nn.LocalResponseNorm 3", "i64");
}

}  // namespace
}  // namespace scry::nn
