#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Running results along an axis, from its front or (`reverse`) its back; accumulated in double or i64, row-major.
/// The sums so far, of the reduction's type (see sum).
Tensor cumsum(const Tensor& x, int axis, bool reverse);
/// The products so far.
Tensor cumprod(const Tensor& x, int axis, bool reverse);
/// y[k] = a[k] y[k - 1] + b[k], beginning at 0; two tensors of one shape, f32 or f64.
Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse);

}  // namespace scry::kernels
