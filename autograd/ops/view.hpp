#pragma once

#include <scry/core/index.hpp>
#include <scry/core/tensor.hpp>
#include <vector>

namespace scry {

// Views share storage with their tensor; axes may be negative, counted from the back. The gradient of a part is added into its place.

/// The same elements, in row-major order, under another shape; one size may be -1. A view where the strides allow it, else a copy.
Tensor reshape(const Tensor& x, const Shape& shape);
/// The same, but an error where only a copy would do.
Tensor view(const Tensor& x, const Shape& shape);
/// Axes `first` to `last`, both included, as one.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);
/// The axes in another order.
Tensor permute(const Tensor& x, std::span<const int> order);
Tensor permute(const Tensor& x, std::initializer_list<int> order);
/// Axis `from` moved to place `to`; the others stay in order.
Tensor movedim(const Tensor& x, int from, int to);
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
Tensor slice(const Tensor& x, int axis, int64_t start, int64_t stop = to_end, int64_t step = 1);
/// `length` elements of an axis from `start` on; they must exist.
Tensor narrow(const Tensor& x, int axis, int64_t start, int64_t length);
/// The slice at `index` of an axis, without that axis.
Tensor select(const Tensor& x, int axis, int64_t index);
/// The elements whose place along `second` is `offset` further than along `first`, as a last axis in the place of these two.
Tensor diagonal(const Tensor& x, int64_t offset = 0, int first = 0, int second = 1);

/// Consecutive parts of an axis, as views: of these sizes, which add up to its size …
std::vector<Tensor> split(const Tensor& x, std::span<const int64_t> sizes, int axis = 0);
std::vector<Tensor> split(const Tensor& x, std::initializer_list<int64_t> sizes, int axis = 0);
/// … or of `size` elements each, the last one with what is left …
std::vector<Tensor> split(const Tensor& x, int64_t size, int axis = 0);
/// … or `count` of one size, or fewer where rounding the size up leaves none for the last.
std::vector<Tensor> chunk(const Tensor& x, int64_t count, int axis = 0);
/// Every slice of an axis, without that axis.
std::vector<Tensor> unbind(const Tensor& x, int axis = 0);

/// x itself where it lies row-major, else a copy that does.
Tensor contiguous(const Tensor& x);
/// A copy.
Tensor clone(const Tensor& x);

}  // namespace scry
