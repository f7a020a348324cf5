#pragma once

#include <scry/core/random.hpp>

// Initial values. All draw from the default generator unless another is given, and don't depend on the number of threads.
namespace scry::nn::init {

/// Uniform in ±1/√fan_in: PyTorch's default for the weights and biases of linear layers and convolutions.
Tensor uniform_fan_in(const Shape& shape, int64_t fan_in, DType dtype = f32, Generator& generator = default_generator());

}  // namespace scry::nn::init
