#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// The sums of the elements of an axis up to each one; floats are added in double, integers and bools give i64. Gradient: g, summed from the back.
Tensor cumsum(const Tensor& x, int axis);
/// The products, likewise. The gradient is right where elements are zero, too.
Tensor cumprod(const Tensor& x, int axis);
/// The products of the elements before each one, or (`reverse`) of those after it; 1 for the first. f32 or f64.
Tensor products_before(const Tensor& x, int axis, bool reverse);

}  // namespace scry
