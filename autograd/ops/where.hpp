#pragma once

#include <scry/core/tensor.hpp>
#include <optional>

namespace scry {

// Elementwise choices, with broadcasting. Two types meet in the common one of arithmetic; a number takes the tensor's type, but a fraction meets
// integers in f32.

/// a where the bool `condition` holds, else b. The gradient goes to the one that was taken.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);

// The lesser and the greater of two; NaN if one is NaN. The gradient goes to the one that was taken, half to each where they are equal.
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, double b);
Tensor maximum(const Tensor& a, double b);

/// x moved into [low, high]; one bound may be left out. Where low > high, all is high. NaN stays. Gradient: g where low <= x <= high, else 0.
Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high = std::nullopt);

}  // namespace scry
