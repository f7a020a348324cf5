#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// What becomes of the inner optimizer's own state when the weights are pulled back.
enum class InnerState : uint8_t {
  keep,       ///< nothing
  pull_back,  ///< first moments are interpolated with their values at the last sync, by α. Second moments are a scale, not a velocity, and stay
  reset       ///< it starts anew, with the step counts that bias correction uses
};

struct LookaheadOptions {
  int64_t k = 5;       ///< inner steps a window, at least 1
  double alpha = 0.5;  ///< α, how far the slow weights move towards the fast ones, in [0, 1]
  InnerState inner_state = InnerState::keep;
};

/// Lookahead: Zhang, Lucas, Hinton and Ba, NeurIPS 2019 ("Lookahead optimizer: k steps forward, 1 step back"), around any optimizer. The inner
/// one moves the fast weights θ; every k of its steps the slow weights φ move towards them, and θ restarts from φ:
///
///     φ ← φ + α (θ − φ);   θ ← φ            φ₀: the weights at construction
///
/// The weights to evaluate and ship are φ: see `evaluation` and `finish`. All parameters are synced, those without a gradient too. Slots:
/// "lookahead/slow", and with pull_back one more for each first moment. Lookaheads nest: when an outer one syncs, the inner one's slow weights
/// start anew from the result, and its window goes on.
struct Lookahead : Optimizer {
  /// Takes `inner` over; where an option is out of range, `inner` stays as it is. The options are not optional: with one argument
  /// `Lookahead{Lookahead{x}}` would be one Lookahead, not two.
  Lookahead(Optimizer&& inner, const LookaheadOptions& options);
};

}  // namespace scry::optim
