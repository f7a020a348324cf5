#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct EMAOptions {
  double decay = 0.999;  ///< in [0, 1)
  int64_t every = 1;     ///< steps from one weight that counts to the next, at least 1
  int64_t start = 0;     ///< steps before the first, at least 0; until then the average is the weight
  bool warmup = false;   ///< decay no slower than (1 + n) / (10 + n), n the number of weights so far
};

/// An exponential moving average of the weights (Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging"; in this form
/// as in Tarvainen and Valpola 2017). The weights to evaluate and ship are the average; training goes on with the others.
///
///     average ← average + (1 − decay) (w − average)            at first the average is the weight
///
/// The average of parameters without a gradient moves too. Inside a Lookahead, its own is the one that counts. See `Optimizer::evaluation` for
/// batch normalisation.
struct EMA : Optimizer {
  EMA(Optimizer&& inner, const EMAOptions& options);
};

}  // namespace scry::optim
