#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// Which operands of a product are taken with their last two axes exchanged.
struct Transposed {
  bool a = false, b = false;
};

/// a b for [..., m, k] and [..., k, n], f32 or f64, the leading axes broadcasting. Any strides.
Tensor matmul(const Tensor& a, const Tensor& b, Transposed transposed = {});

/// x Wᵀ + b for x: [rows, in], weight: [out, in], bias: [out] or undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// out = a b for matrices; `out` is row-major.
void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b, Transposed transposed = {});

}  // namespace scry::kernels
