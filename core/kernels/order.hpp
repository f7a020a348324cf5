#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Along the last axis; any strides, results row-major.
/// The indices (i64) of the first `count` elements in order; NaN counts as largest, equal elements stay in order.
Tensor order(const Tensor& x, int64_t count, bool descending);
/// The elements at `indices`: x: [..., n], indices: i64 [..., k] in [0, n), all other axes alike.
Tensor pick(const Tensor& x, const Tensor& indices);
/// The reverse: zeros of [..., n] to which g's elements are added at `indices`.
Tensor unpick(const Tensor& g, const Tensor& indices, int64_t n);

}  // namespace scry::kernels
