#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <cmath>
#include <numeric>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

Tensor counting(const Shape& shape, DType dtype = f32) {
  std::vector<double> values(static_cast<size_t>(element_count(shape)));
  std::iota(values.begin(), values.end(), 0.0);
  return kernels::cast(Tensor::of(values, shape), dtype);
}

Tensor view(const Tensor& x, int64_t offset, const Shape& shape, const Shape& strides) {
  return Tensor::view(x.node().storage, offset, shape, strides, x.dtype());
}

TEST(Tensor, CopiesAreTheSameTensor) {
  Tensor x = zeros({3});
  const Tensor y = x;
  EXPECT_TRUE(same_node(x, y));
  x.mutable_data<float>()[1] = 5;
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 5, 0}));
}

TEST(Tensor, ViewsShareStorage) {
  Tensor x = counting({2, 3});
  const Tensor turned = view(x, 0, {3, 2}, {1, 3});
  EXPECT_FALSE(same_node(x, turned));
  EXPECT_FALSE(turned.is_contiguous());
  EXPECT_EQ(turned.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  x.mutable_data<float>()[1] = 9;
  EXPECT_EQ(turned.to_vector<float>(), (std::vector<float>{0, 3, 9, 4, 2, 5}));
  Tensor(turned).mutable_data<float>()[0] = 7;
  EXPECT_EQ(x.data<float>()[0], 7);
}

TEST(Tensor, ViewsKeepTheirStorage) {
  Tensor row;
  {
    const Tensor x = counting({4, 3});
    row = view(x, 6, {3}, {1});
  }
  counting({4, 3}, f32);  // would take the block if it were free
  EXPECT_EQ(row.to_vector<float>(), (std::vector<float>{6, 7, 8}));
}

TEST(Tensor, NegativeStridesRunBackwards) {
  const Tensor x = counting({2, 3}, i64);
  const Tensor back = view(x, 5, {2, 3}, {-3, -1});
  EXPECT_EQ(back.to_vector<int64_t>(), (std::vector<int64_t>{5, 4, 3, 2, 1, 0}));
  EXPECT_FALSE(back.is_contiguous());
  EXPECT_EQ(kernels::contiguous(back).to_vector<int64_t>(), back.to_vector<int64_t>());
  EXPECT_TRUE(kernels::contiguous(back).is_contiguous());
}

TEST(Tensor, ZeroStridesRepeat) {
  const Tensor x = counting({3});
  EXPECT_EQ(view(x, 0, {2, 3}, {0, 1}).to_vector<float>(), (std::vector<float>{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(view(x, 2, {3}, {0}).to_vector<float>(), (std::vector<float>{2, 2, 2}));
}

TEST(Tensor, ViewsMustStayInsideTheirStorage) {
  const Tensor x = counting({2, 3});
  EXPECT_FAILS(view(x, 0, {7}, {1}), "view", "[7]", "6 elements");
  EXPECT_FAILS(view(x, 1, {2, 3}, {3, 1}), "view", "from 1");
  EXPECT_FAILS(view(x, 0, {2}, {-1}), "view");
  EXPECT_FAILS(view(x, -1, {2}, {1}), "view");
  EXPECT_FAILS(view(x, 0, {2, 2}, {5, 1}), "view");
  EXPECT_FAILS(Tensor::view(x.node().storage, 0, {6}, {1}, f64), "view", "3 elements");
  EXPECT_EQ(view(x, 5, {1, 1}, {100, -100}).item(), 5);  // steps that are never taken
  EXPECT_EQ(view(x, 100, {0, 3}, {3, 1}).numel(), 0);
}

TEST(Tensor, ViewsThatOverflowAreAnError) {
  const Tensor x = counting({2, 3});
  const int64_t large = int64_t{1} << 62;
  EXPECT_FAILS(view(x, 0, {3, 1}, {large, 1}), "view");
  EXPECT_FAILS(view(x, 0, {5}, {large}), "view");
  EXPECT_FAILS(view(x, 0, {3, 3}, {large, -large}), "view");
  EXPECT_FAILS(view(x, INT64_MAX, {2}, {1}), "view");
  EXPECT_FAILS(view(x, 0, {2, 3}, {1}), "view");
}

TEST(Tensor, StridesOfANewOneMustBeDense) {
  EXPECT_EQ(Tensor::empty_strided({2, 3}, {1, 2}, f32).strides(), (Shape{1, 2}));
  EXPECT_FAILS(Tensor::empty_strided({2, 3}, {100, 1}, f32), "strides");
  EXPECT_FAILS(Tensor::empty_strided({2, 3}, {-3, 1}, f32), "strides");
  EXPECT_FAILS(Tensor::empty_strided({2, 3}, {3}, f32), "strides");
}

TEST(Tensor, KnowsWhetherItIsContiguous) {
  const Tensor x = counting({2, 1, 3});
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_TRUE(view(x, 0, {2, 1, 3}, {3, 77, 1}).is_contiguous());  // the step of a single element doesn't matter
  EXPECT_TRUE(view(x, 3, {3}, {1}).is_contiguous());
  EXPECT_FALSE(view(x, 0, {2}, {3}).is_contiguous());
  EXPECT_TRUE(view(x, 0, {2, 0}, {5, 7}).is_contiguous());
  EXPECT_TRUE(scalar(1).is_contiguous());
}

TEST(Tensor, Sizes) {
  const Tensor x = zeros({2, 3, 4});
  EXPECT_EQ(x.rank(), 3);
  EXPECT_EQ(x.numel(), 24);
  EXPECT_EQ(x.size(1), 3);
  EXPECT_EQ(x.size(-1), 4);
  EXPECT_FAILS(x.size(3), "axis 3");
  EXPECT_EQ(scalar(2).rank(), 0);
  EXPECT_EQ(scalar(2).numel(), 1);
}

TEST(Tensor, ItemConverts) {
  EXPECT_EQ(scalar(2.5).item(), 2.5);
  EXPECT_EQ(full({1, 1}, 7, i64).item<int>(), 7);
  EXPECT_EQ(full({1}, 200, u8).item<int64_t>(), 200);
  EXPECT_EQ(full({}, 5, boolean).item(), 1);
  EXPECT_EQ(scalar(-1.75, f64).item<int64_t>(), -1);
  EXPECT_FAILS(zeros({2}).item(), "item", "[2]");
  EXPECT_FAILS(zeros({0}).item(), "item", "[0]");
}

TEST(Tensor, ItemKeepsLargeIntegers) {
  for (const int64_t value : {(int64_t{1} << 53) + 1, INT64_MAX, INT64_MIN, INT64_MIN + 1})
    EXPECT_EQ(Tensor::of(std::vector<int64_t>{value}, {}).item<int64_t>(), value);
}

TEST(Tensor, ToVectorConverts) {
  const Tensor x = Tensor::of(std::vector<double>{-1.5, 0, 2.75}, {3});
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{-1.5, 0, 2.75}));
  EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{-1, 0, 2}));
  EXPECT_EQ(kernels::cast(x, boolean).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_TRUE(zeros({0, 3}).to_vector<float>().empty());
}

TEST(Tensor, OfChecksTheCount) {
  EXPECT_FAILS(Tensor::of(std::vector<float>{1, 2, 3}, {2}), "3 values", "[2]");
  EXPECT_FAILS(Tensor::of(std::vector<float>{}, {}), "0 values");
  EXPECT_EQ(Tensor::of(std::vector<float>{}, {0, 2}).shape(), (Shape{0, 2}));
}

TEST(Tensor, DataChecksTheType) {
  Tensor x = zeros({2}, f64);
  EXPECT_FAILS(x.data<float>(), "f64", "f32", "cast");
  EXPECT_FAILS(x.mutable_data<int64_t>(), "f64", "i64");
  EXPECT_EQ(x.data<double>()[1], 0);
}

TEST(Tensor, WritingIsCounted) {
  Tensor x = zeros({2});
  const Tensor y = view(x, 1, {1}, {1});
  const uint32_t before = y.node().storage->version();
  x.mutable_data<float>();
  EXPECT_GT(y.node().storage->version(), before);
}

TEST(Tensor, UndefinedOnesAreAnError) {
  const Tensor none;
  EXPECT_FALSE(none.defined());
  EXPECT_FAILS(none.shape(), "undefined");
  EXPECT_FAILS(none.numel(), "undefined");
  EXPECT_FAILS(none.item(), "undefined");
  EXPECT_FAILS(none.to_vector<float>(), "undefined");
  EXPECT_FAILS(none.requires_grad(), "undefined");
}

TEST(Tensor, BorrowKeepsItsOwner) {
  auto owner = std::make_shared<std::vector<double>>(std::vector<double>{1, 2, 3, 4, 5, 6});
  const std::weak_ptr<std::vector<double>> watch = owner;
  double* const values = owner->data();
  Tensor x = Tensor::borrow(values, {2, 3}, std::move(owner));
  EXPECT_EQ(x.raw(), values);
  EXPECT_EQ(x.dtype(), f64);
  x.mutable_data<double>()[0] = 9;
  EXPECT_EQ(values[0], 9);
  Tensor row = view(x, 3, {3}, {1});
  x = {};
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(row.to_vector<double>(), (std::vector<double>{4, 5, 6}));
  row = {};
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, FollowsItsStorageIntoAnArena) {
  const Tensor arena = zeros({10});
  const Tensor x = counting({4}), tail = view(x, 2, {2}, {1});
  x.node().storage->move_into(arena.node().storage, 3 * sizeof(float));
  EXPECT_EQ(x.raw(), arena.data<float>() + 3);
  EXPECT_EQ(tail.raw(), arena.data<float>() + 5);
  EXPECT_EQ(arena.to_vector<float>(), (std::vector<float>{0, 0, 0, 0, 1, 2, 3, 0, 0, 0}));
  EXPECT_FAILS(counting({4}).node().storage->move_into(arena.node().storage, 7 * sizeof(float)), "storage", "16 bytes", "at 28");
  EXPECT_FAILS(Storage::window(arena.node().storage, 32, 12), "storage");
  EXPECT_FAILS(Storage::window(arena.node().storage, 8, SIZE_MAX - 4), "storage");
  EXPECT_EQ(Tensor::view(Storage::window(arena.node().storage, 16, 8), 0, {2}, {1}, f32).to_vector<float>(), (std::vector<float>{1, 2}));
}

TEST(Creation, ArangeOfAnyType) {
  EXPECT_EQ(arange(0, 5).to_vector<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
  EXPECT_EQ(arange(5, 0, -2, i64).to_vector<int64_t>(), (std::vector<int64_t>{5, 3, 1}));
  EXPECT_EQ(arange(0, 1, 0.25, f64).to_vector<double>(), (std::vector<double>{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(arange(3, 3).numel(), 0);
  EXPECT_EQ(arange(3, 1).numel(), 0);
  EXPECT_FAILS(arange(0, 1, 0), "arange", "step");
  EXPECT_FAILS(arange(0, INFINITY), "arange", "finite");
  EXPECT_FAILS(arange(0, NAN), "arange", "finite");
  EXPECT_FAILS(arange(0, 1e300), "arange", "too many");
  EXPECT_EQ(arange(254.0, 258.0, 1.0, u8).to_vector<uint8_t>(), kernels::cast(arange(254, 258, 1, f64), u8).to_vector<uint8_t>());  // saturates
}

TEST(Creation, Full) {
  for (const DType dtype : {boolean, u8, i64, f32, f64})
    EXPECT_EQ(ones({3}, dtype).to_vector<double>(), (std::vector<double>{1, 1, 1})) << name_of(dtype);
  EXPECT_EQ(full({2}, 2.5, i64).to_vector<double>(), (std::vector<double>{2, 2}));
  EXPECT_EQ(full({2}, 0.5, boolean).to_vector<double>(), (std::vector<double>{1, 1}));
  EXPECT_EQ(full({2}, 0.1, f64).to_vector<double>(), (std::vector<double>{0.1, 0.1}));
}

}  // namespace
}  // namespace scry
