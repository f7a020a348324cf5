#pragma once

#include <scry/core/random.hpp>

namespace scry {

/// Each element is 0 with probability p, else multiplied by 1 / (1 - p) (Srivastava et al. 2014, the inverted form). f32 or f64. The mask is a
/// function of the generator's state alone; p = 0 returns x itself and draws nothing.
Tensor dropout(const Tensor& x, double p, Generator& generator = default_generator());

}  // namespace scry
