#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct SGDOptions {
  double lr = 1e-3;         ///< learning rate η, at least 0
  double momentum = 0;      ///< μ, at least 0; 0 keeps no momentum buffer
  double dampening = 0;     ///< d, of the gradient's part in the momentum
  double weight_decay = 0;  ///< λ of an L2 penalty, added to the gradient
  bool nesterov = false;    ///< step by what the momentum will be; needs momentum
  bool maximize = false;    ///< climb instead of descending
};

/// Stochastic gradient descent, with momentum as in Sutskever et al. 2013 ("On the importance of initialization and momentum in deep
/// learning") in PyTorch's form, where the learning rate is outside the momentum:
///
///     g ← g + λ w;   m ← μ m + (1 − d) g   (m ← g in the first step);   w ← w − η m,  with Nesterov  w ← w − η (g + μ m)
struct SGD : Optimizer {
  explicit SGD(const Registry& registry, const SGDOptions& options = {}, const std::vector<Group>& groups = {});
};

}  // namespace scry::optim
