#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AMSGradOptions {
  double lr = 1e-3;                     ///< learning rate η, at least 0
  double beta1 = 0.9;                   ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;                    ///< ε, outside the root, at least 0
  double weight_decay = 0;              ///< λ of an L2 penalty, added to the gradient
  bool maximize = false;                ///< climb instead of descending
  bool decoupled_weight_decay = false;  ///< shrink the weights by 1 − η λ instead of adding to the gradient
  bool bias_correction = true;          ///< off as in the paper, on as in PyTorch
};

/// AMSGrad: Reddi, Kale and Kumar 2018 ("On the convergence of Adam and beyond"), algorithm 2, with PyTorch's bias correction: Adam, whose
/// second moment in the denominator never falls.
///
///     u ← max(u, v);   w ← w − η m̂ / (√û + ε),  û = u / (1 − β₂ᵗ)
struct AMSGrad : Optimizer {
  explicit AMSGrad(const Registry& registry, const AMSGradOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
