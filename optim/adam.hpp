#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdamOptions {
  double lr = 1e-3;         ///< learning rate η, at least 0
  double beta1 = 0.9;       ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;        ///< ε, outside the root, at least 0
  double weight_decay = 0;  ///< λ of an L2 penalty, added to the gradient
};

/// Adam: Kingma and Ba 2015 ("Adam: a method for stochastic optimization"), algorithm 1:
///
///     g ← g + λ w;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   w ← w − η m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
struct Adam : Optimizer {
  explicit Adam(const Registry& registry, const AdamOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
