#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdadeltaOptions {
  double lr = 1;            ///< factor η of the step, at least 0; 1 in the paper
  double rho = 0.9;         ///< decay rate ρ of both averages, in [0, 1)
  double eps = 1e-6;        ///< ε, inside the roots, at least 0
  double weight_decay = 0;  ///< λ of an L2 penalty, added to the gradient
  bool maximize = false;    ///< climb instead of descending
};

/// Adadelta: Zeiler 2012 ("ADADELTA: an adaptive learning rate method"), algorithm 1:
///
///     g ← g + λ w;   v ← ρ v + (1 − ρ) g²;   Δ = √(u + ε) / √(v + ε) g;   u ← ρ u + (1 − ρ) Δ²;   w ← w − η Δ
struct Adadelta : Optimizer {
  explicit Adadelta(const Registry& registry, const AdadeltaOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
