#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// The values in another element type; `x` itself where it has that type. Floats are cut towards zero for integers (out of range they saturate,
/// NaN gives 0); anything other than 0 is true. The gradient is converted back; none flows through integers.
Tensor cast(const Tensor& x, DType dtype);

}  // namespace scry
