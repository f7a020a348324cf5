#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdaptiveClipOptions {
  double clipping = 0.01;  ///< λ, the largest ratio of norms that is let through, at least 0
  double eps = 1e-3;       ///< ε, the least norm of weights that counts, at least 0
};

/// Adaptive gradient clipping: Brock et al. 2021 ("High-performance large-scale image recognition without normalization"), equation 3. For each unit
/// (a row W of a matrix or filter; a whole vector) with gradient G:
///
///     G ← λ max(‖W‖, ε) / ‖G‖ G   where ‖G‖ > λ max(‖W‖, ε)
///
/// The paper leaves the last layer out: give it a group with a large `clipping`. What is clipped is written back to the gradients.
struct AdaptiveClip : Optimizer {
  AdaptiveClip(Optimizer&& inner, const AdaptiveClipOptions& options);
};

}  // namespace scry::optim
