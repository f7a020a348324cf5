#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/engine.hpp>
#include <scry/optim/lookahead.hpp>

namespace scry::optim {

int64_t JointLookahead::checked_window(const LookaheadOptions& options) {
  require(options.k >= 1, "joint lookahead: k is ", options.k, "; expected a whole number, at least 1");
  require(!options.adaptive, "joint lookahead: alpha can't be adaptive, since no player measures it for the others");
  return options.k;
}

void JointLookahead::add(Optimizer&& player, LookaheadOptions options) {
  options.k = int64_t{1} << 48;  // its own window never ends
  players_.push_back(Lookahead{std::move(player), options});
}

void JointLookahead::round() {
  if (++position_ < k_) return;
  position_ = 0;
  for (const Optimizer& player : players_) player.engine().close_windows();
}

void JointLookahead::finish() {
  position_ = 0;
  for (Optimizer& player : players_) player.finish();
}

std::vector<NamedTensor> JointLookahead::state_dict() const { return {{"position", tensor(std::vector{position_}, Shape{})}}; }

void JointLookahead::load_state_dict(const std::vector<NamedTensor>& state) {
  const int64_t position = state_integer("joint lookahead", state, "position");
  require(position >= 0 && position < k_, "joint lookahead: the saved state stands after ", position, " rounds, and a window has ", k_);
  position_ = position;
}

}  // namespace scry::optim
