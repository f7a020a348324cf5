#pragma once

#include <scry/core/kernels/resample.hpp>

// For ops' sources only.
namespace scry::autograd {

/// x: [N, C, spatial…] with an axis mapped linearly. Gradient: the transposed map.
Tensor resample(const Tensor& x, int axis, const kernels::Resampling& map);

}  // namespace scry::autograd
