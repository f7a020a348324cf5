#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct LAMBOptions {
  double lr = 1e-3;             ///< learning rate η, at least 0
  double beta1 = 0.9;           ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;         ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-6;            ///< ε, outside the root, at least 0
  double weight_decay = 0;      ///< λ, decoupled from the moments but inside the norm
  bool maximize = false;        ///< climb instead of descending
  bool bias_correction = true;  ///< off: m and v stand for m̂ and v̂
  bool adapt = true;            ///< off: a step as long as AdamW's, usual for biases and normalisation
};

/// LAMB: You et al. 2020 ("Large batch optimization for deep learning: training BERT in 76 minutes"), algorithm 2, with φ(z) = z: Adam's step, as
/// long as the weights of its parameter are.
///
///     m ← β₁ m + (1 − β₁) g;   v ← β₂ v + (1 − β₂) g²;   u = m̂ / (√v̂ + ε) + λ w;   w ← w − η ‖w‖ / ‖u‖ u   (1 for the ratio where a norm is 0)
struct LAMB : Optimizer {
  explicit LAMB(const Registry& registry, const LAMBOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
