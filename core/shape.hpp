#pragma once

#include <scry/core/error.hpp>
#include <initializer_list>
#include <span>

namespace scry {

/// Up to eight sizes (or strides), stored inline.
class Shape {
 public:
  static constexpr int max_rank = 8;

  constexpr Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span<const int64_t>(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const int64_t> sizes) {
    require(sizes.size() <= max_rank, "shape: at most ", max_rank, " axes, got ", sizes.size());
    for (int64_t size : sizes) sizes_[rank_++] = size;
  }
  /// `rank` times `value`.
  static Shape filled(int rank, int64_t value);

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return sizes_[axis]; }
  int64_t& operator[](int axis) { return sizes_[axis]; }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + rank_; }
  int64_t back() const { return sizes_[rank_ - 1]; }
  void push_back(int64_t size) {
    require(rank_ < max_rank, "shape: at most ", max_rank, " axes, and there are that many already");
    sizes_[rank_++] = size;
  }
  void insert(int axis, int64_t size);
  void erase(int axis);

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.sizes_[i] != b.sizes_[i]) return false;
    return true;
  }

 private:
  int64_t sizes_[max_rank]{};
  int rank_ = 0;
};

/// "[2, 3]".
void append_text(std::string& out, const Shape& shape);

/// The number of elements; a negative size, or a product past 2^63, is an error.
int64_t element_count(const Shape& shape);

/// Strides, in elements, of a row-major array.
Shape row_major_strides(const Shape& shape);

/// The common shape of two by NumPy's rule: aligned at the last axis, sizes equal or 1.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

[[noreturn]] void axis_out_of_range(std::string_view op, int axis, int rank);

/// `axis` counted from the front, given one in [-rank, rank).
inline int wrap_axis(std::string_view op, int axis, int rank) {
  if (axis < -rank || axis >= rank) [[unlikely]]
    axis_out_of_range(op, axis, rank);
  return axis < 0 ? axis + rank : axis;
}

/// A set of axes as a bit mask; none given means all. A repeated one is an error.
uint32_t axis_mask(std::string_view op, std::span<const int> axes, int rank);

}  // namespace scry
