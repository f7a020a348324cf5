#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdagradOptions {
  double lr = 1e-2;                      ///< learning rate η, at least 0
  double lr_decay = 0;                   ///< δ, by which the learning rate falls, at least 0
  double weight_decay = 0;               ///< λ of an L2 penalty, added to the gradient
  double initial_accumulator_value = 0;  ///< what the sum of squares begins with, at least 0
  double eps = 1e-10;                    ///< ε, at least 0
  bool maximize = false;                 ///< climb instead of descending
  bool eps_inside_root = false;          ///< √(s + ε) instead of √s + ε
};

/// Adagrad: Duchi, Hazan and Singer 2011 ("Adaptive subgradient methods for online learning and stochastic optimization"), diagonal:
///
///     g ← g + λ w;   s ← s + g²;   w ← w − η / (1 + (t − 1) δ) g / (√s + ε)
struct Adagrad : Optimizer {
  explicit Adagrad(const Registry& registry, const AdagradOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
