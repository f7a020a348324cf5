#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct RAdamOptions {
  double lr = 1e-3;                     ///< learning rate η, at least 0
  double beta1 = 0.9;                   ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;                    ///< ε, outside the root, before bias correction, at least 0
  double weight_decay = 0;              ///< λ of an L2 penalty, added to the gradient
  bool decoupled_weight_decay = false;  ///< shrink the weights by 1 − η λ instead of adding to the gradient
  bool maximize = false;                ///< climb instead of descending
};

/// RAdam, Adam with a rectified variance: Liu et al. 2020 ("On the variance of the adaptive learning rate and beyond"), algorithm 2. As long as
/// too few steps have been taken to know the second moment, it steps along the first:
///
///     g ← g + λ w;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   ρ = 2 / (1 − β₂) − 1,  ρₜ = ρ − 2 t β₂ᵗ / (1 − β₂ᵗ);
///     w ← w − η m̂ r √(1 − β₂ᵗ) / (√v + ε)  where ρₜ > 5,  r² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ);   else  w ← w − η m̂
struct RAdam : Optimizer {
  explicit RAdam(const Registry& registry, const RAdamOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
