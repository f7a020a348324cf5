#include <scry/optim/elementwise.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/lookahead.hpp>
#include <scry/optim/pieces.hpp>
#include <algorithm>
#include <atomic>
#include <cstring>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 3> inner_states{"keep", "pull_back", "reset"};
constexpr std::array<std::string_view, 2> batch_norm_policies{"leave", "interpolate"};

constexpr std::array lookahead_fields{
    identity(field<&LookaheadOptions::k>("k", {1, 1e15})),
    identity(field<&LookaheadOptions::alpha>("alpha", fraction)),
    fixed(field<&LookaheadOptions::inner_state>("inner_state", any_number, inner_states)),
    fixed(field<&LookaheadOptions::outer_momentum>("outer_momentum", decay_rate)),
    fixed(field<&LookaheadOptions::adaptive>("adaptive")),
    shared(field<&LookaheadOptions::alpha_low>("alpha_low", fraction)),
    fixed(field<&LookaheadOptions::rollback>("rollback")),
    fixed(field<&LookaheadOptions::batch_norm>("batch_norm", any_number, batch_norm_policies)),
};

// φ + α (θ − φ). Where they are equal no bit changes.
template <class V>
V between(V slow, V fast, V alpha) {
  return fast == slow ? slow : slow + alpha * (fast - slow);
}

// The same by Nesterov's rule; `b` is the momentum of θ − φ, so its sign is the other one.
template <class V>
V between(V slow, V fast, V alpha, V mu, V& b) {
  const V d = fast == slow ? V(0) : fast - slow;
  b = mu * b + d;
  return slow + alpha * (mu * b + d);
}

// anchor ← between(anchor, x); x ← anchor. α = 1 takes x as it is, and α = 0 never looks at it.
void pull_back(const Chunk& chunk, std::byte* x, std::byte* anchor, double alpha) {
  if (alpha == 0) return static_cast<void>(std::memcpy(x, anchor, chunk.bytes()));
  if (alpha == 1) return static_cast<void>(std::memcpy(anchor, x, chunk.bytes()));
  dispatch_chunk(chunk, [&]<class T>() {
    T *const fast = aligned<T>(x), *const slow = aligned<T>(anchor);
    const T rate = static_cast<T>(alpha);
#pragma GCC ivdep
    for (int64_t i = 0; i < chunk.count; ++i) fast[i] = slow[i] = between(slow[i], fast[i], rate);
  });
}

void pull_back(const Chunk& chunk, std::byte* x, std::byte* anchor, std::byte* momentum, double alpha, double mu) {
  dispatch_chunk(chunk, [&]<class T>() {
    T *const fast = aligned<T>(x), *const slow = aligned<T>(anchor), *const b = aligned<T>(momentum);
    const T rate = static_cast<T>(alpha), decay = static_cast<T>(mu);
#pragma GCC ivdep
    for (int64_t i = 0; i < chunk.count; ++i) fast[i] = slow[i] = between(slow[i], fast[i], rate, decay, b[i]);
  });
}

bool is_finite(const Chunk& chunk) {
  bool finite = true;
  dispatch_chunk(chunk, [&]<class T>() {
    const T* const w = aligned<T>(chunk.weights);
    int bad = 0;
    for (int64_t i = 0; i < chunk.count; ++i) bad |= w[i] - w[i] == 0 ? 0 : 1;
    finite = bad == 0;
  });
  return finite;
}

class LookaheadRule final : public RuleOf<LookaheadOptions> {
 public:
  explicit LookaheadRule(const LookaheadOptions& options) : RuleOf("lookahead", lookahead_fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override;
  void fill_slots(const RegistryState& registry, int32_t segment) override;
  void start_group(const RegistryState& registry, int32_t group) override;

  bool reduce(StepInput& step) override;
  void prepare(const StepInput& step) override;
  bool moves(size_t row, RowState state) const override {
    return phases_[row] == Phase::closes || (checks_ && phases_[row] != Phase::none) || UpdateRule::moves(row, state);
  }
  bool alike(size_t a, size_t b) const override { return phases_[a] == phases_[b] && UpdateRule::alike(a, b); }
  void update(const Chunk& chunk) const override;
  void trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const override;
  bool defers() const override { return checks_ || UpdateRule::defers(); }
  void conclude() override;
  void settle(const Chunk& chunk) const override;
  bool close_windows() override { return closing_ = true; }

  const Slot* averaged_weights() const override { return slow_.get(); }
  void rebase(const Chunk& chunk) const override;
  void reset(const Chunk& chunk) const override;
  void reset_row(size_t row) override;
  void finish(const Chunk& chunk) const override;
  void finish_row(size_t row) override;

 private:
  // Where a row's window stands in this step.
  enum class Phase : uint8_t { none, opens, within, closes };

  Phase phase(const StepInput& step, size_t row);
  double measured_alpha(const StepInput& step);
  double alpha(const Chunk& chunk) const { return options().adaptive ? options().alpha : options(table_->rows[chunk.row]).alpha; }
  void keep_gradient(const Chunk& chunk) const;
  void sync(const Chunk& chunk) const;

  struct Anchored {
    std::shared_ptr<Slot> moment, anchor;
  };
  const RegistryState* table_ = nullptr;
  std::shared_ptr<Slot> slow_, position_;  // the position in the window: steps since the last sync
  std::shared_ptr<Slot> momentum_, gradient_, rollbacks_;
  std::vector<Anchored> anchored_;
  std::vector<Phase> phases_;     // by row
  std::vector<RowInput> inputs_;  // by row, where α is measured
  Pieces pieces_;
  bool closing_ = false;     // the next step closes all windows
  bool checks_ = false;      // this step syncs only weights that are all finite
  bool takes_back_ = false;  // … and they aren't
  mutable std::atomic<bool> finite_ = true;
};

void LookaheadRule::make_slots(RegistryState& registry, const std::string& prefix) {
  table_ = &registry;
  const auto add = [&](const std::string& name, SlotRole role, SlotKind kind, bool buffers = false) {
    slots_.push_back(registry.add_slot(text(prefix, "/", name), role, kind, buffers));
    return slots_.back();
  };
  slow_ = add("slow", SlotRole::weights, SlotKind::elementwise, options().batch_norm == BatchNormPolicy::interpolate);
  position_ = add("position", SlotRole::step, SlotKind::per_row);
  if (options().outer_momentum > 0) momentum_ = add("momentum", SlotRole::first_moment, SlotKind::elementwise);
  if (options().adaptive) gradient_ = add("gradient", SlotRole::anchor, SlotKind::elementwise);
  if (options().rollback) rollbacks_ = add("rollbacks", SlotRole::step, SlotKind::per_row);
  if (options().inner_state != InnerState::pull_back) return;
  for (const UpdateRule* rule = inner(); rule; rule = rule->inner())
    for (const auto& slot : rule->slots())
      if (slot->role == SlotRole::first_moment) anchored_.push_back({slot, add("anchor/" + slot->name, SlotRole::anchor, SlotKind::elementwise)});
}

void LookaheadRule::fill_slots(const RegistryState& registry, int32_t segment) {
  const auto s = static_cast<size_t>(segment);
  const auto copy = [s](const Ref<Storage>& from, const Slot& to) {
    if (to.arenas[s] && from->bytes()) std::memcpy(to.arenas[s]->data(), from->data(), from->bytes());
  };
  copy(registry.segments[s].values, *slow_);
  for (const auto& [moment, anchor] : anchored_) copy(moment->arenas[s], *anchor);
}

void LookaheadRule::start_group(const RegistryState& registry, int32_t group) {
  for (size_t i = 0; i < registry.rows.size(); ++i) {
    const Row& row = registry.rows[i];
    if (row.group != group || !covers(*slow_, row)) continue;
    const Chunk chunk = chunk_of(registry, i, row.offset, row.padded, false, nullptr);
    rebase(chunk);
    if (momentum_) std::memset(chunk.in(*momentum_), 0, chunk.bytes());
    position_->numbers[i] = 0;
  }
}

// An adaptive window of k steps closes in the call after them; its rows are nobody else's then.
bool LookaheadRule::reduce(StepInput& step) {
  if (!options().adaptive) return UpdateRule::reduce(step);
  phases_.assign(step.rows.size(), Phase::none);
  bool closes = false, steps = false;
  for (size_t i = 0; i < step.rows.size(); ++i) {
    if (!covers(*slow_, step.table.rows[i]) || position_->numbers[i] < static_cast<double>(options(step.table.rows[i]).k)) continue;
    phases_[i] = Phase::closes;
    closes = true;
  }
  if (!closes) return UpdateRule::reduce(step);
  const double best = measured_alpha(step);
  for (size_t i = 0; i < step.rows.size(); ++i) {
    if (phases_[i] == Phase::closes) step.rows[i].state = RowState::outside;
    steps = steps || step.rows[i].state == RowState::stepped;
  }
  if (steps && !UpdateRule::reduce(step)) return false;
  set(*options_table().find("alpha"), best, 0);
  return true;
}

double LookaheadRule::measured_alpha(const StepInput& step) {
  const auto pieces = pieces_.run(
      step, [&](size_t row) { return phases_[row] == Phase::closes && step.rows[row].state == RowState::stepped; },
      [this](Piece& piece) {
        const Chunk& chunk = piece.chunk;
        dispatch_chunk(chunk, [&]<class T>() {
          const T *const fast = aligned<T>(chunk.weights), *const slow = aligned<T>(chunk.in(*slow_));
          const T *const last = aligned<T>(chunk.gradients), *const first = aligned<T>(chunk.in(*gradient_));
          piece.sums[0] = lane_sum(
              chunk.count, [](double x, double y, double g) { return (x - y) * g; }, fast, slow, first);
          piece.sums[1] = lane_sum(
              chunk.count, [&](double x, double y, double g, double h) { return (x - y) * (piece.input.read(h) - g); }, fast, slow, first, last);
        });
      });
  double slope = 0, curvature = 0;
  for (const Piece& piece : pieces) {
    slope += piece.sums[0];
    curvature += piece.sums[1];
  }
  const double low = options().alpha_low;
  if (!(curvature > 0)) return slope < 0 ? 1 : low;
  return std::clamp(-slope / curvature, low, 1.0);
}

void LookaheadRule::prepare(const StepInput& step) {
  UpdateRule::prepare(step);
  phases_.resize(step.rows.size());
  if (options().adaptive) inputs_.assign(step.rows.begin(), step.rows.end());
  finite_ = true;
  checks_ = takes_back_ = false;
  for (size_t i = 0; i < step.rows.size(); ++i) {
    phases_[i] = phase(step, i);
    if (phases_[i] != Phase::closes) continue;
    position_->numbers[i] = 0;
    checks_ = options().rollback;
    // What the inner rule needs in this step it has computed already.
    if (options().inner_state == InnerState::reset) inner()->reset_row(i);
  }
  closing_ = false;
}

LookaheadRule::Phase LookaheadRule::phase(const StepInput& step, size_t i) {
  const Row& row = step.table.rows[i];
  if (!covers(*slow_, row)) return Phase::none;
  if (closing_ || (options().adaptive && phases_[i] == Phase::closes)) return Phase::closes;
  if (step.rows[i].state == RowState::outside && row.role == RowRole::parameter) return Phase::none;
  double& position = position_->numbers[i];
  const bool opens = position == 0;
  if (++position >= static_cast<double>(options(row).k) && !options().adaptive) return Phase::closes;
  return opens ? Phase::opens : Phase::within;
}

void LookaheadRule::update(const Chunk& chunk) const {
  const Phase phase = phases_[chunk.row];
  if (options().adaptive && phase == Phase::opens) keep_gradient(chunk);
  inner()->update(chunk);
  if (checks_ && !is_finite(chunk)) finite_ = false;
  if (phase == Phase::closes && !defers()) sync(chunk);
}

void LookaheadRule::trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const {
  UpdateRule::trace(chunk, element, terms);
  if (phases_[chunk.row] != Phase::closes || defers()) return;
  dispatch_chunk(chunk, [&]<class T>() {
    const auto value = [&](const Slot& slot) -> double { return aligned<T>(chunk.in(slot))[element]; };
    const Traced fast(terms, "w", terms.weight), rate(static_cast<T>(alpha(chunk)));
    Traced slow(terms, "slow", value(*slow_));
    if (momentum_ && chunk.lies_in(*momentum_)) {
      Traced b(terms, "momentum", value(*momentum_));
      slow = between(slow, fast, rate, Traced(static_cast<T>(options().outer_momentum)), b);
    } else {
      slow = rate == 1 ? fast : between(slow, fast, rate);
    }
    terms.weight = slow.value();
  });
}

void LookaheadRule::keep_gradient(const Chunk& chunk) const {
  if (!chunk.lies_in(*gradient_)) return;
  if (!chunk.has_gradient) return static_cast<void>(std::memset(chunk.in(*gradient_), 0, chunk.bytes()));
  dispatch_chunk(chunk, [&]<class T>() {
    T* const first = aligned<T>(chunk.in(*gradient_));
    for (int64_t i = 0; i < chunk.count; ++i) first[i] = inputs_[chunk.row].read(aligned<T>(chunk.gradients)[i]);
  });
}

void LookaheadRule::conclude() {
  UpdateRule::conclude();
  takes_back_ = checks_ && !finite_;
  if (!takes_back_) return;
  for (size_t i = 0; i < phases_.size(); ++i) {
    if (phases_[i] == Phase::none) continue;
    reset_row(i);
    ++rollbacks_->numbers[i];
  }
}

void LookaheadRule::settle(const Chunk& chunk) const {
  UpdateRule::settle(chunk);
  if (takes_back_ && phases_[chunk.row] != Phase::none) {
    std::memcpy(chunk.weights, chunk.in(*slow_), chunk.bytes());
    reset(chunk);
  } else if (phases_[chunk.row] == Phase::closes) {
    sync(chunk);
  }
}

void LookaheadRule::sync(const Chunk& chunk) const {
  const double rate = alpha(chunk);
  if (momentum_ && chunk.lies_in(*momentum_))
    pull_back(chunk, chunk.weights, chunk.in(*slow_), chunk.in(*momentum_), rate, options().outer_momentum);
  else
    pull_back(chunk, chunk.weights, chunk.in(*slow_), rate);
  for (const Anchored& each : anchored_)
    if (chunk.lies_in(*each.anchor)) pull_back(chunk, chunk.in(*each.moment), chunk.in(*each.anchor), rate);
  if (options().inner_state == InnerState::reset)
    inner()->reset(chunk);
  else
    inner()->rebase(chunk);
}

// The window starts anew from the weights and moments as they are, wherever in it this happens.
void LookaheadRule::rebase(const Chunk& chunk) const {
  UpdateRule::rebase(chunk);
  if (!chunk.lies_in(*slow_)) return;
  std::memcpy(chunk.in(*slow_), chunk.weights, chunk.bytes());
  for (const Anchored& each : anchored_)
    if (chunk.lies_in(*each.anchor)) std::memcpy(chunk.in(*each.anchor), chunk.in(*each.moment), chunk.bytes());
}

void LookaheadRule::reset(const Chunk& chunk) const {
  UpdateRule::reset(chunk);
  rebase(chunk);
}

void LookaheadRule::reset_row(size_t row) {
  inner()->reset_row(row);
  position_->numbers[row] = 0;
}

void LookaheadRule::finish(const Chunk& chunk) const {
  std::memcpy(chunk.weights, chunk.in(*slow_), chunk.bytes());
  rebase(chunk);
}

void LookaheadRule::finish_row(size_t row) {
  UpdateRule::finish_row(row);
  position_->numbers[row] = 0;
}

}  // namespace

Lookahead::Lookahead(Optimizer&& inner, const LookaheadOptions& options) : Optimizer(std::move(inner), std::make_unique<LookaheadRule>(options)) {}

OptimizerKind lookahead_kind() { return kind_of<Lookahead, lookahead_fields>("lookahead"); }

}  // namespace scry::optim
