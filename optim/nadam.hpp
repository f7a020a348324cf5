#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct NAdamOptions {
  double lr = 2e-3;                     ///< learning rate η, at least 0
  double beta1 = 0.9;                   ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;                    ///< ε, outside the root, at least 0
  double weight_decay = 0;              ///< λ of an L2 penalty, added to the gradient
  double momentum_decay = 4e-3;         ///< ψ, how fast the momentum μ rises to β₁, at least 0
  bool decoupled_weight_decay = false;  ///< shrink the weights by 1 − η λ instead of adding to the gradient
  bool maximize = false;                ///< climb instead of descending
};

/// NAdam, Adam with Nesterov's momentum: Dozat 2016 ("Incorporating Nesterov momentum into Adam"), algorithm 2, in PyTorch's form, whose
/// first moment is averaged by β₁:
///
///     μₜ = β₁ (1 − ½ 0.96^(t ψ));   g ← g + λ w;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;
///     w ← w − η ((1 − μₜ) g / (1 − Π μ₁…μₜ) + μₜ₊₁ m / (1 − Π μ₁…μₜ₊₁)) / (√v̂ + ε),   v̂ = v / (1 − β₂ᵗ)
struct NAdam : Optimizer {
  explicit NAdam(const Registry& registry, const NAdamOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
