#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Along the last axis; any strides, results row-major.
/// The indices (i64) of the first `count` elements in order; NaN counts as largest, equal elements stay in order.
Tensor order(const Tensor& x, int64_t count, bool descending);

}  // namespace scry::kernels
