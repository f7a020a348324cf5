#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct AdamWOptions {
  double lr = 1e-3;            ///< learning rate η, at least 0
  double beta1 = 0.9;          ///< decay rate of the first moment, in [0, 1)
  double beta2 = 0.999;        ///< decay rate of the second moment, in [0, 1)
  double eps = 1e-8;           ///< ε, outside the root, at least 0
  double weight_decay = 1e-2;  ///< λ
  bool amsgrad = false;        ///< divide by the largest second moment so far: see AMSGrad
  bool maximize = false;       ///< climb instead of descending
};

/// AdamW: Loshchilov and Hutter 2019 ("Decoupled weight decay regularization"), algorithm 2, in PyTorch's form, where η scales the decay too:
/// Adam, and the weights shrink by themselves instead of through the gradient.
///
///     w ← w − η λ w − η m̂ / (√v̂ + ε)
struct AdamW : Optimizer {
  explicit AdamW(const Registry& registry, const AdamWOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
