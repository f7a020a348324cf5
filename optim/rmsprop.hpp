#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct RMSpropOptions {
  double lr = 1e-2;              ///< learning rate η, at least 0
  double alpha = 0.99;           ///< decay rate of the squares, in [0, 1)
  double eps = 1e-8;             ///< ε, at least 0
  double weight_decay = 0;       ///< λ of an L2 penalty, added to the gradient
  double momentum = 0;           ///< μ, at least 0; 0 keeps no momentum buffer
  bool centered = false;         ///< divide by an estimate of the standard deviation
  bool maximize = false;         ///< climb instead of descending
  bool eps_inside_root = false;  ///< √(v + ε), as TensorFlow has it, instead of √v + ε
};

/// RMSprop: Hinton 2012 (Coursera "Neural networks for machine learning", lecture 6e); centred and with momentum as in Graves 2013
/// ("Generating sequences with recurrent neural networks"):
///
///     g ← g + λ w;   v ← α v + (1 − α) g²;   w ← w − η g / (√v + ε)
///     centred: a ← α a + (1 − α) g, and v − a² in v's place;   with momentum: b ← μ b + g / (√v + ε);  w ← w − η b
struct RMSprop : Optimizer {
  explicit RMSprop(const Registry& registry, const RMSpropOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
