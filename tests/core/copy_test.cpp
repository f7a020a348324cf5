#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "support.hpp"

namespace scry::kernels {
namespace {

using namespace scry::test;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

Tensor of(const std::vector<double>& values, DType dtype = f64) { return cast(Tensor::of(values, {static_cast<int64_t>(values.size())}), dtype); }

std::vector<double> counted(int64_t n) {
  std::vector<double> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
  return values;
}

TEST(Cast, FloatsAreCutTowardsZero) {
  for (const DType from : {f32, f64}) {
    EXPECT_EQ(cast(of({1.9, -1.9, 0.5, -0.5, 0, -0.0, 3}, from), i64).to_vector<int64_t>(), (std::vector<int64_t>{1, -1, 0, 0, 0, 0, 3}));
    EXPECT_EQ(cast(of({1.9, 0.5, 254.99}, from), u8).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 254}));
  }
}

TEST(Cast, OutOfRangeSaturatesAndNaNIsZero) {
  for (const DType from : {f32, f64}) {
    EXPECT_EQ(cast(of({nan, inf, -inf, 1e19, -1e19, 0x1p63, -0x1p63}, from), i64).to_vector<int64_t>(),
              (std::vector<int64_t>{0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN}));
    EXPECT_EQ(cast(of({nan, inf, -inf, 256, 1000, -1, -0.5, 1e30, -1e30}, from), u8).to_vector<int64_t>(),
              (std::vector<int64_t>{0, 255, 0, 255, 255, 0, 0, 255, 0}));
  }
}

TEST(Cast, AnythingButZeroIsTrue) {
  for (const DType from : {f32, f64})
    EXPECT_EQ(cast(of({0, -0.0, 1, -3, 0.25, nan, inf, 1e-40}, from), boolean).to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(cast(Tensor::of(std::vector<int64_t>{0, 256, -1}, {3}), boolean).to_vector<int64_t>(), (std::vector<int64_t>{0, 1, 1}));
  for (const DType to : {u8, i64, f32, f64}) EXPECT_EQ(cast(of({0, 7}, boolean), to).to_vector<double>(), (std::vector<double>{0, 1}));
}

TEST(Cast, KeepsWhatTheOtherTypeHolds) {
  std::vector<double> bytes(256);
  std::iota(bytes.begin(), bytes.end(), 0.0);
  for (const DType from : {u8, i64, f32, f64})
    for (const DType to : {u8, i64, f32, f64})
      EXPECT_EQ(cast(of(bytes, from), to).to_vector<double>(), bytes) << name_of(from) << " to " << name_of(to);
  EXPECT_EQ(cast(of({0.1, 1e300, -1e300, 1e-50}), f32).to_vector<float>(),
            (std::vector<float>{0.1f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), 0}));
  EXPECT_TRUE(std::isnan(cast(of({nan}), f32).item()));
  const int64_t large = (int64_t{1} << 53) + 1;
  EXPECT_EQ(cast(Tensor::of(std::vector<int64_t>{large}, {1}), f64).item(), 0x1p53);
}

TEST(Copy, BetweenOrdersOfAxes) {
  for (const DType dtype : {f32, f64, i64, u8})
    for (const int64_t rows : {1, 2, 7, 8, 9, 15, 16, 17, 33})
      for (const int64_t columns : {1, 3, 8, 9, 16, 31, 64, 65, 130}) {
        const Tensor x = cast(Tensor::of(counted(2 * rows * columns), {2, columns, rows}), dtype);
        const Tensor out = Tensor::empty_strided({2, columns, rows}, {rows * columns, 1, columns}, dtype);
        copy_into(out, x);
        ASSERT_EQ(out.to_vector<double>(), x.to_vector<double>()) << rows << " x " << columns;
        ASSERT_EQ(dense_copy(out).to_vector<double>(), x.to_vector<double>()) << rows << " x " << columns;
      }
}

TEST(Copy, BetweenLayoutsOfImages) {
  for (const Shape& shape : {Shape{2, 3, 17, 19}, {1, 20, 7, 1}, {3, 16, 1, 33}, {2, 17, 5, 6}}) {
    const Tensor x = Tensor::of(counted(element_count(shape)), shape), there = channels_last(x);
    EXPECT_TRUE(is_channels_last(there));
    EXPECT_EQ(there.to_vector<double>(), x.to_vector<double>());
    EXPECT_EQ(contiguous(there).to_vector<double>(), x.to_vector<double>());
  }
}

TEST(Cast, SameTypeIsTheSameTensor) {
  const Tensor x = zeros({3});
  EXPECT_TRUE(same_node(cast(x, f32), x));
  EXPECT_FALSE(same_node(cast(x, f64), x));
}

TEST(Contiguous, IsTheTensorItselfOrACopy) {
  const Tensor x = of({0, 1, 2, 3, 4, 5}, f32);
  EXPECT_TRUE(same_node(contiguous(x), x));
  const Tensor turned = Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, f32), copy = contiguous(turned);
  EXPECT_EQ(copy.strides(), (Shape{2, 1}));
  EXPECT_EQ(copy.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_NE(copy.raw(), x.raw());
}

TEST(Clone, IsANewTensorOfTheSameLayout) {
  for (const DType dtype : {boolean, u8, i64, f32, f64}) {
    const Tensor x = cast(of({0, 1, 2, 3, 4, 5}), dtype), turned = Tensor::view(x.node().storage, 0, {3, 2}, {1, 3}, dtype);
    for (const Tensor& t : {x, turned}) {
      const Tensor copy = clone(t);
      EXPECT_NE(copy.raw(), t.raw());
      EXPECT_EQ(copy.strides(), t.strides());
      EXPECT_TRUE(same_bits(copy, t));
    }
  }
}

TEST(CopyInto, ConvertsAndBroadcasts) {
  const Tensor out = zeros({2, 3}, i64);
  copy_into(out, of({1.5, -2.5, nan}));
  EXPECT_EQ(out.to_vector<int64_t>(), (std::vector<int64_t>{1, -2, 0, 1, -2, 0}));
  const Tensor second_row = Tensor::view(out.node().storage, 5, {3}, {-1}, i64);
  copy_into(second_row, of({7, 8, 9}));
  EXPECT_EQ(out.to_vector<int64_t>(), (std::vector<int64_t>{1, -2, 0, 9, 8, 7}));
}

// Sizes around the blocks in which strided operands are gathered.
TEST(CopyInto, LongStridedRuns) {
  for (const int64_t n : {511, 512, 513, 1024, 40'000, 70'001}) {
    for (const DType dtype : {u8, f32, i64}) {
      const Tensor room = zeros({3 * n}, dtype), x = cast(arange(0, static_cast<double>(n), 1, i64), dtype);
      const Tensor apart = Tensor::view(room.node().storage, 3 * n - 2, {n}, {-3}, dtype);
      copy_into(apart, x);
      ASSERT_TRUE(same_bits(contiguous(apart), x)) << n;
      const std::vector<double> all = room.to_vector<double>();
      for (size_t i = 0; i < all.size(); ++i) {
        if (i % 3 != 1) {
          ASSERT_EQ(all[i], 0) << "written beside the view at " << i;
        }
      }
    }
  }
}

TEST(Layout, ChannelsLastIsAnotherOrder) {
  const Tensor x = cast(arange(0, 2 * 3 * 4 * 5, 1, i64), f32), images = Tensor::view(x.node().storage, 0, {2, 3, 4, 5}, {60, 20, 5, 1}, f32);
  const Tensor last = channels_last(images);
  EXPECT_TRUE(is_channels_last(last));
  EXPECT_FALSE(is_channels_last(images));
  EXPECT_TRUE(same_bits(last, images));
  EXPECT_TRUE(same_node(channels_last(last), last));
  each_index(images.shape(), [&](std::span<const int64_t> i) { ASSERT_EQ(element<float>(last, i), element<float>(images, i)); });
  // Any strides: turned, with gaps, backwards.
  const Tensor turned = Tensor::view(x.node().storage, 0, {5, 3, 2, 4}, {1, 20, 60, 5}, f32),
               gaps = Tensor::view(x.node().storage, 1, {2, 3, 2, 2}, {60, 20, 10, 2}, f32),
               backwards = Tensor::view(x.node().storage, 119, {2, 3, 4, 5}, {-60, -20, -5, -1}, f32);
  for (const Tensor& t : {turned, gaps, backwards}) {
    EXPECT_TRUE(is_channels_last(channels_last(t)));
    EXPECT_TRUE(same_bits(channels_last(t), t)) << text(t.strides());
  }
  for (const Shape& shape : {Shape{0, 3, 4, 5}, Shape{2, 0, 4, 5}, Shape{2, 1, 4, 5}, Shape{2, 3, 1, 1}, Shape{2, 3}, Shape{2, 3, 7}})
    EXPECT_TRUE(same_bits(channels_last(ones(shape)), ones(shape))) << text(shape);
}

}  // namespace
}  // namespace scry::kernels
