#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct ClipNormOptions {
  double max_norm = 1;  ///< the largest norm that is let through, at least 0
};

/// Scales all gradients together so that their Euclidean norm is at most `max_norm`: Pascanu et al. 2013 ("On the difficulty of training recurrent
/// neural networks"), as PyTorch's clip_grad_norm_:
///
///     g ← g min(1, max_norm / (‖g‖ + 10⁻⁶))
///
/// A group with a `max_norm` of its own is clipped by its own norm. Gradients stay as they are in memory. Where the norm is not finite, the step
/// is skipped.
struct ClipNorm : Optimizer {
  ClipNorm(Optimizer&& inner, const ClipNormOptions& options);
};

}  // namespace scry::optim
