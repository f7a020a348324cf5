#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Reductions over the axes in a bit mask (see axis_mask).
/// Sums; floats are added in double, integers and bools in i64, which is then the result's type.
Tensor sum(const Tensor& x, uint32_t mask, bool keepdim);
/// Products, likewise.
Tensor prod(const Tensor& x, uint32_t mask, bool keepdim);
/// The largest or smallest element; NaN wins. No reduced axis may be empty.
Tensor amax(const Tensor& x, uint32_t mask, bool keepdim);
Tensor amin(const Tensor& x, uint32_t mask, bool keepdim);
/// Whether all, or any, elements differ from zero (bool), and how many do (i64).
Tensor all(const Tensor& x, uint32_t mask, bool keepdim);
Tensor any(const Tensor& x, uint32_t mask, bool keepdim);
Tensor count_nonzero(const Tensor& x, uint32_t mask, bool keepdim);
/// (sum of |x|^p)^(1/p), added in double; f32 or f64, p finite. With p = 0 the number of elements that aren't zero.
Tensor norm(const Tensor& x, double p, uint32_t mask, bool keepdim);
/// The sum of squared differences from the mean, divided by max(0, count - correction); f32 or f64.
Tensor var(const Tensor& x, uint32_t mask, double correction, bool keepdim);
/// log(sum of exp(x)), without overflow; f32 or f64.
Tensor logsumexp(const Tensor& x, uint32_t mask, bool keepdim);
struct Extremes {
  Tensor values, indices;
};
/// The largest (or smallest) element along an axis that isn't empty, and the index (i64) of the first that is it; NaN is the largest and the
/// smallest.
Extremes extremes_along(const Tensor& x, int axis, bool largest);
/// x summed over the axes in which `shape` was broadcast to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace scry::kernels
