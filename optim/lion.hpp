#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct LionOptions {
  double lr = 1e-4;         ///< learning rate η, at least 0; a third to a tenth of Adam's
  double beta1 = 0.9;       ///< how much of the momentum is in the direction, in [0, 1)
  double beta2 = 0.99;      ///< decay rate of the momentum, in [0, 1)
  double weight_decay = 0;  ///< λ, decoupled; three to ten times Adam's
  bool maximize = false;    ///< climb instead of descending
};

/// Lion: Chen et al. 2023 ("Symbolic discovery of optimization algorithms"), algorithm 2:
///
///     w ← w − η (sign(β₁ m + (1 − β₁) g) + λ w);   m ← β₂ m + (1 − β₂) g
struct Lion : Optimizer {
  explicit Lion(const Registry& registry, const LionOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
