// Layers that take elements elsewhere, and the like.

#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

TEST(ReLU, ValuesGradientsErrors) {
  const ReLU layer;
  EXPECT_EQ(layer(Tensor::of(std::vector<float>{-2, 0, 3}, {3})).to_vector<float>(), (std::vector<float>{0, 0, 3}));
  check_gradients(layer, {3, 4});
  EXPECT_TRUE(layer.parameters().empty());
  EXPECT_FAILS(layer(zeros({2}, i64)), "nn.ReLU", "relu", "i64");
  EXPECT_FAILS(layer(Tensor{}), "nn.ReLU", "undefined");
}

TEST(Flatten, ValuesGradientsErrors) {
  const Tensor x = rand({2, 3, 4, 5});
  EXPECT_EQ(Flatten{}(x).shape(), (Shape{2, 60}));
  EXPECT_EQ(Flatten(0)(x).shape(), (Shape{120}));
  EXPECT_EQ(Flatten(1, 2)(x).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(Flatten(-2, -1)(x).shape(), (Shape{2, 3, 20}));
  EXPECT_EQ(Flatten{}(x).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(Flatten{}(transpose(x, 1, 3)).to_vector<float>(), transpose(x, 1, 3).to_vector<float>());
  EXPECT_EQ(Flatten{}(zeros({0, 3, 4})).shape(), (Shape{0, 12}));
  check_gradients(Flatten{}, {2, 3, 2});
  EXPECT_FAILS(Flatten{}(zeros({3})), "nn.Flatten", "flatten", "axis 1");
  EXPECT_FAILS(Flatten(2, 1)(x), "nn.Flatten", "axis 2 comes after axis 1");
}

TEST(Unflatten, ValuesGradientsErrors) {
  const Tensor x = rand({2, 12, 3});
  EXPECT_EQ(Unflatten(1, {3, 4})(x).shape(), (Shape{2, 3, 4, 3}));
  EXPECT_EQ(Unflatten(-2, {2, -1, 2})(x).shape(), (Shape{2, 2, 3, 2, 3}));
  EXPECT_EQ(Unflatten(0, {-1})(x).shape(), x.shape());
  EXPECT_EQ(Unflatten(1, {3, 4})(x).to_vector<float>(), x.to_vector<float>());
  check_gradients(Unflatten(1, {2, 2}), {2, 4});
  EXPECT_FAILS(Unflatten(1, {5, -1})(x), "nn.Unflatten axis 1 to [5, -1]", "[2, 12, 3]");
  EXPECT_FAILS(Unflatten(1, {-1, -1})(x), "can't become");
  EXPECT_FAILS(Unflatten(1, {3, 3})(x), "can't become");
  EXPECT_FAILS(Unflatten(1, {2, 2, 3, 1, 1, 1, 1})(x), "can't become");
  EXPECT_FAILS(Unflatten(1, {int64_t{1} << 40, int64_t{1} << 40})(x), "nn.Unflatten");
  EXPECT_FAILS(Unflatten(1, {-2, -6})(x), "nn.Unflatten");
  EXPECT_FAILS(Unflatten(3, {2})(x), "unflatten", "axis 3");
}

TEST(Identity, PassesThrough) {
  const Tensor x = rand({2, 3});
  EXPECT_TRUE(same_node(Identity{}(x), x));
}

TEST(Lambda, CallsItsFunction) {
  const Lambda twice([](const Tensor& x) { return x * 2; });
  EXPECT_EQ(twice(ones({2})).to_vector<float>(), (std::vector<float>{2, 2}));
  check_gradients(twice, {3});
  const Lambda both([](const Tensor& x, double by) { return x * by; });
  EXPECT_EQ(both(ones({1}), 3.0).item(), 3);
  EXPECT_FAILS(twice(Tensor{}), "nn.Lambda", "undefined");
  EXPECT_EQ(Sequential(Flatten{}, twice)(ones({1, 2, 2})).to_vector<float>(), (std::vector<float>{2, 2, 2, 2}));
}

TEST(Upsample, IsInterpolate) {
  const Tensor x = rand({2, 3, 4, 5});
  const InterpolateOptions o{.scale_factor = PairOf<double>{2, 1.5}, .mode = Interpolation::linear, .align_corners = true};
  EXPECT_TRUE(same_bits(Upsample(o)(x), interpolate(x, o)));
  EXPECT_EQ(Upsample(o)(x).shape(), (Shape{2, 3, 8, 7}));
  EXPECT_EQ(Upsample({.scale_factor = 2})(Tensor::of(std::vector<float>{1, 2}, {1, 1, 2})).to_vector<float>(), (std::vector<float>{1, 1, 2, 2}));
  check_gradients(Upsample(o), {1, 2, 3, 2});
  expect_independent_of_threads(
      [big = rand({3, 16, 40, 30})] { return adaptive_avg_pool2d(interpolate(big, {.size = 71, .mode = Interpolation::cubic}), 9); });
  EXPECT_FAILS(Upsample(o)(zeros({2, 2})), "nn.Upsample by 2 x 1.5", "[N, C, H, W]", "[2, 2]");
  EXPECT_FAILS(Upsample(o)(zeros({1, 1, 2, 2}, i64)), "nn.Upsample", "i64");
  EXPECT_FAILS(Upsample({})(x), "nn.Upsample", "size or a scale_factor");
  EXPECT_FAILS(Upsample({.size = 0})(x), "nn.Upsample to 0", "at least 1");
  EXPECT_FAILS(Upsample({.scale_factor = NAN})(x), "at least 1");
  EXPECT_FAILS(Upsample({.scale_factor = 1e300})(x), "fewer than");
  EXPECT_FAILS(Upsample({.size = 2, .align_corners = true})(x), "align_corners");
}

TEST(PixelShuffle, AndBack) {
  const Tensor x = rand({2, 12, 2, 3}), y = PixelShuffle(2)(x);
  EXPECT_EQ(y.shape(), (Shape{2, 3, 4, 6}));
  EXPECT_EQ(element<float>(y, {1, 2, 3, 4}), element<float>(x, {1, 10, 1, 2}));
  EXPECT_TRUE(same_bits(PixelUnshuffle(2)(y), x));
  EXPECT_EQ(PixelShuffle(3)(zeros({9, 1, 1})).shape(), (Shape{1, 3, 3}));
  check_gradients(PixelShuffle(2), {1, 4, 1, 2});
  check_gradients(PixelUnshuffle(2), {1, 1, 4, 2});
  EXPECT_FAILS(PixelShuffle(5)(x), "nn.PixelShuffle 5", "[2, 12, 2, 3]");
  EXPECT_FAILS(PixelShuffle(0)(x), "factor");
  EXPECT_FAILS(PixelUnshuffle(2)(x), "nn.PixelUnshuffle 2", "[2, 12, 2, 3]");
  EXPECT_FAILS(PixelUnshuffle(2)(zeros({2, 2})), "axes");
}

TEST(Unfold, AndFold) {
  const UnfoldOptions o{.kernel = {2, 3}, .stride = {2, 1}, .padding = {0, 1}};
  const Tensor x = rand({2, 3, 4, 5});
  EXPECT_TRUE(same_bits(Unfold(o)(x), unfold(x, o)));
  EXPECT_TRUE(same_bits(Fold({4, 5}, o)(unfold(x, o)), fold(unfold(x, o), {4, 5}, o)));
  check_gradients(Unfold(o), {1, 2, 2, 3});
  check_gradients(Fold({2, 3}, o), {1, 6, 3});
  EXPECT_FAILS(Unfold(o)(zeros({3})), "nn.Unfold 2 x 3", "[3]");
  EXPECT_FAILS(Fold({4, 5}, o)(zeros({2, 5, 10})), "nn.Fold 2 x 3 to 4 x 5", "[2, 5, 10]");
}

TEST(Pad, EveryModeAndSide) {
  const Tensor x = Tensor::of(std::vector<float>{1, 2, 3}, {1, 1, 3});
  EXPECT_EQ(ConstantPad1d({{0, 1}, {0, 2}}, {.value = 7})(x).to_vector<float>(), (std::vector<float>{7, 1, 2, 3, 7, 7}));
  EXPECT_EQ(ZeroPad1d(1)(x).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 0}));
  EXPECT_EQ(ReflectionPad1d(2)(x).to_vector<float>(), (std::vector<float>{3, 2, 1, 2, 3, 2, 1}));
  EXPECT_EQ(ReplicationPad1d(1)(x).to_vector<float>(), (std::vector<float>{1, 1, 2, 3, 3}));
  EXPECT_EQ(CircularPad1d(1)(x).to_vector<float>(), (std::vector<float>{3, 1, 2, 3, 1}));
  const Tensor y = rand({2, 3, 4, 5});
  EXPECT_TRUE(same_bits(ReflectionPad2d({{1, 2}, {3, 0}})(y), pad(y, {2, 0, 1, 3}, {.mode = PadMode::reflect})));
  check_gradients(CircularPad2d(1), {1, 1, 2, 3});
  check_gradients(ZeroPad2d({1, 0}), {1, 1, 2, 3});
  EXPECT_FAILS(ReflectionPad2d(4)(y), "nn.ReflectionPad2d", "pad", "[2, 3, 4, 5]");
  EXPECT_FAILS(ReplicationPad2d(1)(zeros({2})), "nn.ReplicationPad2d", "3 axes", "[2]");
}

}  // namespace
}  // namespace scry::nn
