#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AccumulateOptions {
  int64_t n = 4;     ///< calls a step, at least 1
  bool mean = true;  ///< step by the gradients' mean; else by their sum
};

/// Gradient accumulation: adds up the gradients of `n` calls of `step` and steps in the last of them, as with a batch n times as large. The others
/// return false. Clear the gradients before every backward pass, as without it. One more copy of the weights' size, "accumulate/sum".
struct Accumulate : Optimizer {
  Accumulate(Optimizer&& inner, const AccumulateOptions& options);
};

}  // namespace scry::optim
