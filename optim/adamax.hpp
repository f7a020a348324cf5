#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdamaxOptions {
  double lr = 2e-3;         ///< learning rate η, at least 0
  double beta1 = 0.9;       ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;     ///< decay rate of the largest gradient, in [0, 1)
  double eps = 1e-8;        ///< ε, added to |g|, at least 0
  double weight_decay = 0;  ///< λ of an L2 penalty, added to the gradient
  bool maximize = false;    ///< climb instead of descending
};

/// Adamax: Kingma and Ba 2015 ("Adam: a method for stochastic optimization"), algorithm 2, with PyTorch's ε:
///
///     g ← g + λ w;   m ← β₁ m + (1 − β₁) g;   u ← max(β₂ u, |g| + ε);   w ← w − η / (1 − β₁ᵗ) m / u
struct Adamax : Optimizer {
  explicit Adamax(const Registry& registry, const AdamaxOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
