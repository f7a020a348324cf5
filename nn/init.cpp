#include <scry/nn/init.hpp>
#include <cmath>

namespace scry::nn::init {

Tensor uniform_fan_in(const Shape& shape, int64_t fan_in, DType dtype, Generator& generator) {
  require(fan_in >= 1, "init: a layer needs at least one input, got shape ", shape);
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return uniform(shape, -bound, bound, dtype, generator);
}

}  // namespace scry::nn::init
