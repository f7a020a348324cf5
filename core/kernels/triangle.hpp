#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// x: [..., m, n] with zeros above (`lower`) or below the given diagonal; 0 is the main one, positive ones lie above it. Any element type.
Tensor triangle(const Tensor& x, int64_t diagonal, bool lower);

}  // namespace scry::kernels
