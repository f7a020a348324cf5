#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct ClipValueOptions {
  double max_value = 1;  ///< at least 0
};

/// Clamps every element of the gradient to ± `max_value`, as PyTorch's clip_grad_value_. Gradients stay as they are in memory; NaN passes.
struct ClipValue : Optimizer {
  ClipValue(Optimizer&& inner, const ClipValueOptions& options);
};

}  // namespace scry::optim
