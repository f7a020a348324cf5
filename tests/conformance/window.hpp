#pragma once

#include "conformance/node.hpp"

namespace scry::conformance {

/// What the attributes of convolutions and pooling say of each spatial axis.
struct Windows {
  Integers kernel, stride, dilation, before, after;

  Windows(const Node& node, const Tensor& x, const Integers& of_kernel, bool transposed = false);
  size_t axes() const { return kernel.size(); }
  /// The elements from the first to the last that a kernel touches.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }

  // For the two axes from `first` on, or the one (with a height of 1).
  Pair pair(const Integers& numbers, size_t first = 0) const;
  Padding padding(size_t first = 0) const { return {pair(before, first), pair(after, first)}; }
};

/// Images of one more axis, [N, C, D, H, W], as images of two: [N D, C, H, W], and back.
Tensor depth_to_batch(const Tensor& x);
Tensor batch_to_depth(const Tensor& x, int64_t depth);

}  // namespace scry::conformance
