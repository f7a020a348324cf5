#pragma once

#include <scry/core/tensor.hpp>
#include <array>

namespace scry {

/// A part of a tensor, told in its axes, so that the same part can be looked at in any tensor of that shape, whatever its strides. Every
/// axis of the whole has a start, and a step that it makes along one axis of the part; no two elements of the part are the same one.
struct Region {
  Shape shape;                               ///< of the part
  Shape start, step;                         ///< one entry for each axis of the whole
  std::array<int8_t, Shape::max_rank> to{};  ///< the part's axis that runs along this one, or -1 where only `start` is looked at

  /// All of a tensor of this shape.
  static Region whole(const Shape& shape);
  /// Of a region whose axes are the whole's: `count` elements of an axis from `first` on, `by` apart.
  Region& take(int axis, int64_t first, int64_t count, int64_t by = 1);
  /// The same without one of its axes, of which only the first element stays. All other axes of the whole must be there.
  Region& drop(int axis);
  /// The part of `x`, as a view.
  Tensor of(const Tensor& x) const;
};

}  // namespace scry
