#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdamOptions {
  double lr = 1e-3;                     ///< learning rate η, at least 0
  double beta1 = 0.9;                   ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;                 ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;                    ///< ε, at least 0
  double weight_decay = 0;              ///< λ of an L2 penalty, added to the gradient
  bool amsgrad = false;                 ///< divide by the largest second moment so far: see AMSGrad
  bool maximize = false;                ///< climb instead of descending
  bool decoupled_weight_decay = false;  ///< shrink the weights by 1 − η λ instead of adding to the gradient: see AdamW
  bool eps_inside_root = false;         ///< √(v̂ + ε) instead of √v̂ + ε
  bool eps_hat = false;  ///< ε is added before bias correction, as in the paper's remark, TensorFlow and ONNX: √(1 − β₂ᵗ) m̂ / (√v + ε)
  bool bias_correction = true;  ///< off: m and v stand for m̂ and v̂
  double decay_after = 0;       ///< a part of the new weight that is taken off, whatever η is, in [0, 1]
};

/// Adam: Kingma and Ba 2015 ("Adam: a method for stochastic optimization"), algorithm 1:
///
///     g ← g + λ w;   m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   w ← w − η m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
struct Adam : Optimizer {
  explicit Adam(const Registry& registry, const AdamOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
