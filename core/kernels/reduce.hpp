#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Reductions over the axes in a bit mask (see axis_mask).
/// Sums; floats are added in double, integers and bools in i64, which is then the result's type.
Tensor sum(const Tensor& x, uint32_t mask, bool keepdim);
/// The largest element; NaN wins. No reduced axis may be empty.
Tensor amax(const Tensor& x, uint32_t mask, bool keepdim);
/// The index (i64) of the first largest element along `axis`.
Tensor argmax(const Tensor& x, int axis, bool keepdim);
/// x summed over the axes in which `shape` was broadcast to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace scry::kernels
