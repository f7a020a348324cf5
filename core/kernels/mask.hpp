#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// x, or `value` where the bool mask is true; both broadcast.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);
/// Where (a == b) is `equal`, of two i64 tensors that broadcast.
Tensor matches(const Tensor& a, const Tensor& b, bool equal);

}  // namespace scry::kernels
