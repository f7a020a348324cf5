#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Views share storage with their tensor; axes may be negative, counted from the back.

/// The same elements, in row-major order, under another shape; one size may be -1. A view where the strides allow it, else a copy.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Axes `first` to `last`, both included, as one.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);
/// The axes in another order.
Tensor permute(const Tensor& x, std::span<const int> order);
Tensor permute(const Tensor& x, std::initializer_list<int> order);
/// Two axes exchanged.
Tensor transpose(const Tensor& x, int a, int b);
/// A new axis of size 1 at `axis` of the result.
Tensor unsqueeze(const Tensor& x, int axis);
/// Without `axis`, which must have size 1.
Tensor squeeze(const Tensor& x, int axis);
/// Axes of size 1 (and new ones at the front) repeated to `shape`, without a copy.
Tensor expand(const Tensor& x, const Shape& shape);
/// Elements start, start + step, … before stop of an axis. Negative positions count from the back, ones past the ends are cut (as in NumPy);
/// a negative step runs backwards, from the last element by default.
inline constexpr int64_t to_end = INT64_MAX;
Tensor slice(const Tensor& x, int axis, int64_t start, int64_t stop = to_end, int64_t step = 1);
/// `length` elements of an axis from `start` on; they must exist.
Tensor narrow(const Tensor& x, int axis, int64_t start, int64_t length);
/// The slice at `index` of an axis, without that axis.
Tensor select(const Tensor& x, int axis, int64_t index);
/// x itself where it lies row-major, else a copy that does.
Tensor contiguous(const Tensor& x);
/// A copy.
Tensor clone(const Tensor& x);

}  // namespace scry
