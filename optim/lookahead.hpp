#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// What becomes of the inner optimizer's own state when the weights are pulled back.
enum class InnerState : uint8_t {
  keep,       ///< nothing
  pull_back,  ///< first moments are interpolated with their values at the last sync, by α. Second moments are a scale, not a velocity, and stay
  reset       ///< it starts anew, with the step counts that bias correction uses
};

/// What becomes of the model's buffers of f32 and f64, batch normalisation's running statistics. (They can also be computed anew from data,
/// whenever they are wanted: see Optimizer::evaluation.)
enum class BatchNormPolicy : uint8_t {
  leave,       ///< nothing
  interpolate  ///< they are pulled back like the weights, and have slow values of their own, which evaluation uses
};

struct LookaheadOptions {
  int64_t k = 5;       ///< inner steps a window, at least 1
  double alpha = 0.5;  ///< α, how far the slow weights move towards the fast ones, in [0, 1]
  InnerState inner_state = InnerState::keep;
  double outer_momentum = 0;  ///< μ in [0, 1), see below
  bool adaptive = false;      ///< α is measured at the end of each window
  double alpha_low = 0;       ///< the least α that is taken then
  bool rollback = false;      ///< a weight that isn't finite at a sync takes all weights back
  BatchNormPolicy batch_norm = BatchNormPolicy::leave;
};

/// Lookahead: Zhang, Lucas, Hinton and Ba, NeurIPS 2019 ("Lookahead optimizer: k steps forward, 1 step back"), around any optimizer. The inner
/// one moves the fast weights θ; every k of its steps the slow weights φ move towards them, and θ restarts from φ:
///
///     φ ← φ + α (θ − φ);   θ ← φ            φ₀: the weights at construction
///
/// The weights to evaluate and ship are φ: see `evaluation` and `finish`. All parameters are synced, those without a gradient too. k and α
/// may differ by group, and follow schedules. Slots: "lookahead/slow", and with pull_back one more for each first moment. Lookaheads nest: when
/// an outer one syncs, the inner one's slow weights start anew from the result, and its window goes on.
///
/// With outer momentum the slow weights follow Nesterov's rule for Δ = φ − θ (SNOO); one more slot, "lookahead/momentum":
///
///     b ← μ b + Δ;   φ ← φ − α (μ b + Δ);   θ ← φ
///
/// Adaptive: α is the best step on a quadratic along d = θ_k − φ, from the gradients at both ends (section 3.2 there). So a window takes one call of
/// `step` more, which moves nothing but the slow weights, with the gradient g_k at θ_k; one more slot, "lookahead/gradient":
///
///     α = −⟨g₀, d⟩ / ⟨d, g_k − g₀⟩, clipped to [alpha_low, 1]; where the curvature isn't positive, 1 downhill and else alpha_low
///
/// Rollback: instead of syncing weights that aren't finite, all of the optimizer's go back to φ, the inner state starts anew, and all windows do.
/// "lookahead/rollbacks" counts that.
struct Lookahead : Optimizer {
  /// Takes `inner` over; where an option is out of range, `inner` stays as it is. The options are not optional: with one argument
  /// `Lookahead{Lookahead{x}}` would be one Lookahead, not two.
  Lookahead(Optimizer&& inner, const LookaheadOptions& options);
};

/// Several optimizers, as those of a GAN's players, whose weights are pulled back at the same instant. k counts rounds, in which each takes
/// as many steps as it likes.
///
///     optim::JointLookahead players{{.k = 5}, optim::Adam{generator_registry}, optim::Adam{discriminator_registry}};
///     …players[0].step(); players[1].step(); players.round();
class JointLookahead {
 public:
  /// Takes the players over. Windows are the same for all, so α can't be adaptive.
  template <std::derived_from<Optimizer>... Players>
  explicit JointLookahead(const LookaheadOptions& options, Players&&... players) : k_(checked_window(options)) {
    (add(std::move(players), options), ...);
  }

  size_t size() const { return players_.size(); }
  Optimizer& operator[](size_t player) { return players_[player]; }
  /// A round is over; after k of them all players sync.
  void round();
  /// Every player's slow weights go into its model; a window begins there.
  void finish();

  /// Rounds in this window. (The players are parts of a checkpoint of their own.)
  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  static int64_t checked_window(const LookaheadOptions& options);
  void add(Optimizer&& player, LookaheadOptions options);

  int64_t k_, position_ = 0;
  std::vector<Optimizer> players_;
};

}  // namespace scry::optim
