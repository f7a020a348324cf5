#include <scry/core/shape.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

TEST(Shape, HoldsUpToEightSizes) {
  Shape shape;
  EXPECT_EQ(shape.rank(), 0);
  for (int64_t i = 1; i <= 8; ++i) shape.push_back(i);
  EXPECT_EQ(shape, (Shape{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(shape.back(), 8);
  EXPECT_FAILS(shape.push_back(9), "at most 8 axes");
  EXPECT_FAILS(shape.insert(0, 9), "at most 8 axes");
  EXPECT_FAILS((Shape{1, 2, 3, 4, 5, 6, 7, 8, 9}), "at most 8 axes", "got 9");
  EXPECT_FAILS(Shape::filled(9, 1), "at most 8 axes");
  EXPECT_EQ(text(shape), "[1, 2, 3, 4, 5, 6, 7, 8]");
}

TEST(Shape, InsertsAndErases) {
  Shape shape{2, 4};
  shape.insert(1, 3);
  shape.insert(0, 1);
  shape.insert(4, 5);
  EXPECT_EQ(shape, (Shape{1, 2, 3, 4, 5}));
  shape.erase(4);
  shape.erase(0);
  shape.erase(1);
  EXPECT_EQ(shape, (Shape{2, 4}));
}

TEST(Shape, Compares) {
  EXPECT_EQ(Shape{}, Shape{});
  EXPECT_FALSE((Shape{1} == Shape{}));
  EXPECT_FALSE((Shape{1, 2} == Shape{2, 1}));
  EXPECT_EQ(text(Shape{}), "[]");
  EXPECT_EQ(Shape::filled(3, 7), (Shape{7, 7, 7}));
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({3, 4, 5}), 60);
  EXPECT_EQ(element_count({3, 0, 5}), 0);
  EXPECT_EQ(element_count({INT64_MAX}), INT64_MAX);
  EXPECT_EQ(element_count({INT64_MAX, 1, 1}), INT64_MAX);
}

TEST(Shape, TooManyElementsAreAnError) {
  const int64_t half = int64_t{1} << 32;
  EXPECT_FAILS(element_count({half, half}), "4294967296, 4294967296", "64 bits");
  EXPECT_FAILS(element_count({INT64_MAX, 2}), "64 bits");
  EXPECT_FAILS(element_count({half, half, half}), "64 bits");
  // A zero makes it empty, wherever it stands.
  EXPECT_EQ(element_count({half, half, 0}), 0);
  EXPECT_EQ(element_count({0, half, half}), 0);
}

TEST(Shape, NegativeSizesAreAnError) {
  EXPECT_FAILS(element_count({-1}), "[-1]", "negative");
  EXPECT_FAILS(element_count({2, -3}), "[2, -3]", "negative");
  EXPECT_FAILS(element_count({0, -3}), "negative");
  EXPECT_FAILS(element_count({-2, -3}), "negative");
  EXPECT_FAILS(Tensor::empty({2, -3}), "negative");
}

TEST(Shape, RowMajorStrides) {
  EXPECT_EQ(row_major_strides({}), Shape{});
  EXPECT_EQ(row_major_strides({2, 3, 4}), (Shape{12, 4, 1}));
  EXPECT_EQ(row_major_strides({2, 1, 4}), (Shape{4, 4, 1}));
  EXPECT_EQ(row_major_strides({2, 0, 4}).rank(), 3);
  row_major_strides({INT64_MAX, INT64_MAX, 0});  // no overflow that the sanitizer would see
}

// By NumPy's rule written the other way round: sizes read from the right, missing ones being 1.
TEST(Shape, BroadcastsAsNumPyDoes) {
  const std::vector<Shape> shapes{{},     {1},       {3},       {4},       {0},    {1, 1}, {3, 1},      {1, 4},
                                  {3, 4}, {2, 3, 4}, {2, 1, 4}, {2, 1, 1}, {0, 4}, {1, 0}, {5, 2, 3, 4}};
  for (const Shape& a : shapes) {
    for (const Shape& b : shapes) {
      const int rank = std::max(a.rank(), b.rank());
      Shape expected = Shape::filled(rank, 1);
      bool fits = true;
      for (int i = 1; i <= rank; ++i) {
        const int64_t x = i <= a.rank() ? a[a.rank() - i] : 1, y = i <= b.rank() ? b[b.rank() - i] : 1;
        fits = fits && (x == y || x == 1 || y == 1);
        expected[rank - i] = x == 1 ? y : x;
      }
      SCOPED_TRACE(text(a, " and ", b));
      if (fits)
        EXPECT_EQ(broadcast_shapes("op", a, b), expected);
      else
        EXPECT_FAILS(broadcast_shapes("op", a, b), "op: ", text(a), text(b), "broadcast");
    }
  }
}

TEST(Shape, WrapsAxes) {
  for (int axis = 0; axis < 3; ++axis) {
    EXPECT_EQ(wrap_axis("op", axis, 3), axis);
    EXPECT_EQ(wrap_axis("op", axis - 3, 3), axis);
  }
  EXPECT_FAILS(wrap_axis("op", 3, 3), "op: axis 3", "rank 3");
  EXPECT_FAILS(wrap_axis("op", -4, 3), "op: axis -4", "rank 3");
  EXPECT_FAILS(wrap_axis("op", 0, 0), "op: axis 0", "rank 0");
  EXPECT_FAILS(wrap_axis("op", INT32_MIN, 8), "op: axis");
}

TEST(Shape, MasksAxes) {
  EXPECT_EQ(axis_mask("op", {}, 3), 7u);
  EXPECT_EQ(axis_mask("op", {}, 0), 0u);
  EXPECT_EQ(axis_mask("op", {}, 8), 255u);
  EXPECT_EQ(axis_mask("op", std::vector<int>{0, -1}, 3), 5u);
  EXPECT_FAILS(axis_mask("op", std::vector<int>{0, -3}, 3), "op: axis -3 is given twice");
  EXPECT_FAILS(axis_mask("op", std::vector<int>{3}, 3), "op: axis 3");
}

}  // namespace
}  // namespace scry
