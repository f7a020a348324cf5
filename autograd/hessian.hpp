#pragma once

#include <scry/core/tensor.hpp>
#include <vector>

namespace scry {

/// The Hessian of `loss`, of one element, times vectors: for each of `inputs`, the sum over all inputs j of ∂²loss/∂input ∂inputⱼ vectorⱼ, as the
/// gradient of the scalar product of gradient and vectors (Pearlmutter 1994). Vectors have their inputs' shapes. Zeros where there is no second
/// derivative. The graph of `loss` stays, for further products.
std::vector<Tensor> hvp(const Tensor& loss, std::span<const Tensor> inputs, std::span<const Tensor> vectors);
/// The same for one input.
Tensor hvp(const Tensor& loss, const Tensor& input, const Tensor& vector);

}  // namespace scry
