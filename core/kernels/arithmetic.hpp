#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

// Elementwise, broadcasting; both of one type, which is the result's.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);  // f32 or f64

Tensor neg(const Tensor& x);

// With a number on one side; the number takes the tensor's type.
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
Tensor div(const Tensor& a, double b);
Tensor sub(double a, const Tensor& b);
Tensor div(double a, const Tensor& b);

/// a += b, in place; b broadcasts to a's shape.
void add_into(const Tensor& a, const Tensor& b);

}  // namespace scry::kernels
