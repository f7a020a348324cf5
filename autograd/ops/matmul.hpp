#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// The matrix product, f32 or f64: [..., m, k] and [..., k, n] give [..., m, n], the leading axes broadcasting; a tensor of one axis stands for
/// a row (on the left) or a column (on the right), and that axis is missing from the result.
Tensor matmul(const Tensor& a, const Tensor& b);

/// x Wᵀ + b: x: [..., in], weight: [out, in], bias: [out] or undefined, the result [..., out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace scry
