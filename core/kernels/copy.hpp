#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// `x` itself where it lies row-major, else a row-major copy.
Tensor contiguous(const Tensor& x);
/// A row-major copy.
Tensor dense_copy(const Tensor& x);
/// A new tensor with the same values and, where `x` is dense, the same layout.
Tensor clone(const Tensor& x);
/// The values in another type: floats to integers cut towards zero, anything to bool by `!= 0`. `x` itself where the type is the same.
Tensor cast(const Tensor& x, DType dtype);
/// out = x, converted and broadcast to out's shape.
void copy_into(const Tensor& out, const Tensor& x);
/// Every element = value.
void fill(const Tensor& out, double value);

}  // namespace scry::kernels
