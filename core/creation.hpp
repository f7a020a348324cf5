#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// New tensors. A value that the type cannot hold is converted as kernels::cast does.
Tensor full(const Shape& shape, double value, DType dtype = f32);
inline Tensor zeros(const Shape& shape, DType dtype = f32) { return full(shape, 0, dtype); }
inline Tensor ones(const Shape& shape, DType dtype = f32) { return full(shape, 1, dtype); }
/// start, start + step, … below (or, for a negative step, above) stop; computed as start + i step.
Tensor arange(double start, double stop, double step = 1, DType dtype = f32);
/// A tensor of no axes.
inline Tensor scalar(double value, DType dtype = f32) { return full({}, value, dtype); }

}  // namespace scry
