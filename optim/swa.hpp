#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct SWAOptions {
  int64_t start = 0;  ///< steps before the first weight that counts, at least 0; until then the average is the weight
  int64_t every = 1;  ///< steps from one to the next, at least 1
};

/// Stochastic weight averaging: Izmailov et al. 2018 ("Averaging weights leads to wider optima and better generalization"), algorithm 1: the mean of
/// the weights after `start` steps and every `every` further ones. The weights to evaluate and ship are the average; training goes on with the
/// others.
///
///     average ← average + (w − average) / (n + 1),  n of them counted before
///
/// See `Optimizer::evaluation` for batch normalisation.
struct SWA : Optimizer {
  SWA(Optimizer&& inner, const SWAOptions& options);
};

}  // namespace scry::optim
