#pragma once

#include <scry/core/tensor.hpp>
#include <optional>

namespace scry {

// Elements by index tensors (i64), which get no gradient. Indices are checked before anything is computed; negative ones count from the back
// of their axis where not said otherwise. Sums by index are made in row-major order, so they don't depend on the number of threads.

/// Along axis 1 of three, element [i, j, k] is x[i, index[i, j, k], k]. `index` has x's rank and, along the other axes, at most its sizes.
/// Gradient: scatter_add.
Tensor gather(const Tensor& x, const Tensor& index, int axis);
/// The same, where x and the index are broadcast against each other along the other axes.
Tensor take_along_dim(const Tensor& x, const Tensor& index, int axis);
/// A copy of x with the elements that gather(x, index, axis) would read replaced by those of `values`, of x's type and at least the index's
/// sizes. Where several meet, the last one in row-major order stays, and alone gets a gradient.
Tensor scatter(const Tensor& x, const Tensor& index, const Tensor& values, int axis);
Tensor scatter(const Tensor& x, const Tensor& index, double value, int axis);
/// The same, adding them. Gradient: gather.
Tensor scatter_add(const Tensor& x, const Tensor& index, const Tensor& values, int axis);

/// The slices of an axis at the entries of `index`: [n], in its order.
Tensor index_select(const Tensor& x, const Tensor& index, int axis);
/// A copy of x with slice i of `values` added at index[i]; `values` has n slices of x's shape.
Tensor index_add(const Tensor& x, const Tensor& index, const Tensor& values, int axis);
/// Rows of `weight`: [V, D] at an index of any shape, none of it negative: index.shape + [D]. The row `padding_index` gets no gradient.
Tensor embedding(const Tensor& index, const Tensor& weight, std::optional<int64_t> padding_index = {});
/// A new last axis of `classes` elements (one more than the largest entry by default) with 1 at the entry, which isn't negative, and 0
/// elsewhere.
Tensor one_hot(const Tensor& index, int64_t classes = -1, DType dtype = i64);

/// A copy of x, broadcast against the bool mask, with `value` where the mask is true.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);
/// The elements of x where the bool mask is true, both broadcast against each other, in row-major order: [n].
Tensor masked_select(const Tensor& x, const Tensor& mask);
/// The indices of the elements that aren't 0 (NaN isn't), in row-major order: [n, rank]. No gradient.
Tensor nonzero(const Tensor& x);

}  // namespace scry
