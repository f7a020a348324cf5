#pragma once

#include <concepts>
#include <cstdint>

namespace scry {

/// As a stop: up to the end of the axis (for a negative step, down to its first element).
inline constexpr int64_t to_end = INT64_MAX;

/// Elements start, start + step, … before stop of an axis, as in NumPy's start:stop:step; `Slice{}` is all of it.
struct Slice {
  int64_t start = 0, stop = to_end, step = 1;
};

/// As many whole axes as the other indices leave over.
inline constexpr struct Ellipsis {
} ellipsis;
/// A new axis of size 1.
inline constexpr struct NewAxis {
} newaxis;

/// One of the indices in `x.at({Slice{1, 5, 2}, 3, ellipsis, newaxis})`.
struct Index {
  enum class Kind { position, slice, rest, fresh };

  template <std::integral T>
  Index(T position) : kind(Kind::position), slice{static_cast<int64_t>(position)} {}
  Index(const Slice& of_axis) : kind(Kind::slice), slice(of_axis) {}
  Index(Ellipsis) : kind(Kind::rest) {}
  Index(NewAxis) : kind(Kind::fresh) {}

  Kind kind;
  Slice slice;  ///< its start is the position
};

}  // namespace scry
