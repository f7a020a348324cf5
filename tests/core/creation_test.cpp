#include <gmock/gmock.h>

#include <scry/core/core.hpp>
#include <scry/core/kernels/layout.hpp>
#include <array>

namespace scry {
namespace {

using ::testing::ElementsAre;

TEST(Creation, Arange) {
  constexpr int64_t large = (int64_t{1} << 60) + 1;
  EXPECT_THAT(arange(large, large + 3).to_vector<int64_t>(), ElementsAre(large, large + 1, large + 2));
  EXPECT_THAT(arange(5, 0, -2).to_vector<int64_t>(), ElementsAre(5, 3, 1));
  EXPECT_THAT(arange(INT64_MIN, INT64_MAX, INT64_MAX).to_vector<int64_t>(), ElementsAre(INT64_MIN, -1, INT64_MAX - 1));
  EXPECT_EQ(arange(3).dtype(), i64);
  EXPECT_EQ(arange(0, 3, 1, f32).dtype(), f32);
  EXPECT_EQ(arange(0.0, 1.0, 0.25).dtype(), f32);
  EXPECT_EQ(arange(0, 1, 0.25).numel(), 4);
  EXPECT_EQ(arange(3, 0).numel(), 0);
  EXPECT_THROW(arange(0, 1, 0), Error);
  EXPECT_THROW(arange(INT64_MIN, INT64_MAX), Error);
}

TEST(Creation, Linspace) {
  EXPECT_THAT(linspace(-1, 1, 5, f64).to_vector<double>(), ElementsAre(-1, -0.5, 0, 0.5, 1));
  EXPECT_EQ(linspace(0, 0.1, 7, f64).to_vector<double>().back(), 0.1);
  EXPECT_THAT(linspace(3, 9, 1).to_vector<float>(), ElementsAre(3));
  EXPECT_EQ(linspace(0, 1, 0).numel(), 0);
  EXPECT_THROW(linspace(0, 1, -1), Error);
}

TEST(Creation, Eye) {
  EXPECT_THAT(eye(2).to_vector<float>(), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(eye(2, 3, i64).to_vector<int64_t>(), ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(eye(3, 1).to_vector<float>(), ElementsAre(1, 0, 0));
  EXPECT_EQ(eye(0).shape(), (Shape{0, 0}));
  EXPECT_THROW(eye(-2), Error);
}

TEST(Creation, LikeAnotherKeepsItsLayout) {
  const Tensor image = kernels::empty_channels_last({2, 3, 4, 4}, f64);
  EXPECT_EQ(zeros_like(image).strides(), image.strides());
  EXPECT_EQ(ones_like(image).dtype(), f64);
  EXPECT_EQ(full_like(image, 2.5, f32).to_vector<float>()[5], 2.5f);
  EXPECT_EQ(empty_like(image, i64).dtype(), i64);
  EXPECT_EQ(randn_like(image).shape(), image.shape());
}

TEST(Creation, FromBraces) {
  EXPECT_EQ(tensor({{1.5, 2}, {3, 4}}).shape(), (Shape{2, 2}));
  EXPECT_EQ(tensor({{1.5, 2}, {3, 4}}).dtype(), f32);
  EXPECT_EQ(tensor({1, 2, 3}).dtype(), i64);
  EXPECT_EQ(tensor({true, false}).dtype(), boolean);
  EXPECT_EQ(tensor({uint8_t{1}}).dtype(), u8);
  EXPECT_EQ(tensor({1, 2}, f64).dtype(), f64);
  EXPECT_EQ(tensor(5).shape(), Shape{});
  EXPECT_EQ(tensor({5}).shape(), (Shape{1}));
  EXPECT_EQ(tensor({{{1}, {2}}}).shape(), (Shape{1, 2, 1}));
  constexpr int64_t large = (int64_t{1} << 60) + 1;
  EXPECT_THAT(tensor({large}).to_vector<int64_t>(), ElementsAre(large));
  EXPECT_THAT(tensor({{1, 2}, {3, 4}}).to_vector<int64_t>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THROW(tensor({{1, 2}, {3}}), Error);
}

TEST(Creation, FromRanges) {
  EXPECT_THAT(tensor(std::vector<bool>{true, false, true}).to_vector<uint8_t>(), ElementsAre(1, 0, 1));
  EXPECT_EQ(tensor(std::vector{1, 2}).dtype(), i64);
  EXPECT_EQ(tensor(std::vector{1.0, 2.0}).dtype(), f64);
  EXPECT_EQ(tensor(std::array{1.f, 2.f, 3.f, 4.f}, Shape{2, 2}).shape(), (Shape{2, 2}));
  const std::vector<uint8_t> bytes{1, 2};
  EXPECT_EQ(tensor(std::span(bytes)).dtype(), u8);
  EXPECT_THROW(tensor(bytes, Shape{3}), Error);
}

}  // namespace
}  // namespace scry
