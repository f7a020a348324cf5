#include <scry/optim/kinds.hpp>
#include <scry/optim/lookahead.hpp>
#include <scry/optim/rule.hpp>
#include <algorithm>
#include <cstring>
#include <xsimd/xsimd.hpp>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 3> inner_states{"keep", "pull_back", "reset"};

const std::vector<Field<LookaheadOptions>>& fields() {
  using Options = LookaheadOptions;
  static const std::vector<Field<Options>> all{
      identity(field<&Options::k>("k", {1, 1e15})),
      identity(field<&Options::alpha>("alpha", fraction)),
      identity(field<&Options::inner_state>("inner_state", any_number, inner_states)),
  };
  return all;
}

// anchor ← anchor + α (x − anchor); x ← anchor. Where they are equal no bit changes; α = 1 takes x as it is, and α = 0 never looks at it.
template <class T>
void pull_back(T* x, T* anchor, int64_t count, double alpha) {
  const size_t bytes = static_cast<size_t>(count) * sizeof(T);
  if (alpha == 0) return static_cast<void>(std::memcpy(x, anchor, bytes));
  if (alpha == 1) return static_cast<void>(std::memcpy(anchor, x, bytes));
  using V = xsimd::batch<T>;
  const V rate(static_cast<T>(alpha));
  for (int64_t i = 0; i < count; i += static_cast<int64_t>(V::size)) {
    const V fast = V::load_aligned(x + i), slow = V::load_aligned(anchor + i);
    const V synced = xsimd::select(fast == slow, slow, slow + rate * (fast - slow));
    synced.store_aligned(anchor + i);
    synced.store_aligned(x + i);
  }
}

void pull_back(const Chunk& chunk, std::byte* x, std::byte* anchor, double alpha) {
  dispatch_chunk(chunk, [&]<class T>() { pull_back(reinterpret_cast<T*>(x), reinterpret_cast<T*>(anchor), chunk.count, alpha); });
}

class LookaheadRule final : public UpdateRule {
 public:
  explicit LookaheadRule(const LookaheadOptions& options)
      : options_("lookahead", fields(), options), pulls_back_(options.inner_state == InnerState::pull_back) {}

  std::string_view name() const override { return "lookahead"; }
  std::vector<Hyperparameter> hyperparameters() const override { return options_.list(); }
  bool set(std::string_view option, double value) override;
  void set_all(std::span<const double> values) override { assign(options_.with(values)); }

  void make_slots(RegistryState& registry, const std::string& prefix) override;
  void fill_slots(const RegistryState& registry, int32_t segment) override;

  void prepare(const RegistryState& registry, std::span<const RowState> states) override;
  bool moves(size_t row, RowState state) const override { return closes_[row] || UpdateRule::moves(row, state); }
  bool alike(size_t a, size_t b) const override { return closes_[a] == closes_[b] && UpdateRule::alike(a, b); }
  void update(const Chunk& chunk) const override;

  const Slot* averaged_weights() const override { return slow_.get(); }
  void rebase(const Chunk& chunk) const override;
  void reset(const Chunk& chunk) const override;
  void finish(const Chunk& chunk) const override;
  void finish_row(size_t row) override;

 private:
  void assign(const LookaheadOptions& options);
  void sync(const Chunk& chunk) const;

  struct Anchored {
    std::shared_ptr<Slot> moment, anchor;
  };
  OptionValues<LookaheadOptions> options_;
  bool pulls_back_;
  std::shared_ptr<Slot> slow_, position_;  // the position in the window: steps since the last sync
  std::vector<Anchored> anchored_;
  std::vector<uint8_t> closes_;  // by row: whether this step ends its window
};

bool LookaheadRule::set(std::string_view option, double value) {
  const auto changed = options_.with(option, value);
  if (!changed) return false;
  assign(*changed);
  return true;
}

void LookaheadRule::assign(const LookaheadOptions& options) {
  require(pulls_back_ == (options.inner_state == InnerState::pull_back),
          "lookahead: pull_back keeps slots of its own and is chosen when the optimizer is made");
  options_.assign(options);
}

void LookaheadRule::make_slots(RegistryState& registry, const std::string& prefix) {
  slow_ = registry.add_slot(prefix + "/slow", SlotRole::weights, SlotKind::elementwise);
  position_ = registry.add_slot(prefix + "/position", SlotRole::step, SlotKind::per_row);
  slots_ = {slow_, position_};
  if (!pulls_back_) return;
  for (const UpdateRule* rule = inner(); rule; rule = rule->inner()) {
    for (const auto& slot : rule->slots()) {
      if (slot->role != SlotRole::first_moment) continue;
      anchored_.push_back({slot, registry.add_slot(text(prefix, "/anchor/", slot->name), SlotRole::anchor, SlotKind::elementwise)});
      slots_.push_back(anchored_.back().anchor);
    }
  }
}

void LookaheadRule::fill_slots(const RegistryState& registry, int32_t segment) {
  const auto s = static_cast<size_t>(segment);
  const Ref<Storage>& values = registry.segments[s].values;
  const auto copy = [s](const Ref<Storage>& from, const Slot& to) {
    if (from->bytes()) std::memcpy(to.arenas[s]->data(), from->data(), from->bytes());
  };
  copy(values, *slow_);
  for (const auto& [moment, anchor] : anchored_) copy(moment->arenas[s], *anchor);
}

void LookaheadRule::prepare(const RegistryState& registry, std::span<const RowState> states) {
  UpdateRule::prepare(registry, states);
  const auto k = static_cast<double>(options_.now().k);
  closes_.assign(states.size(), 0);
  for (size_t row = 0; row < states.size(); ++row) {
    if (states[row] == RowState::outside) continue;
    double& position = position_->numbers[row];
    if (++position < k) continue;
    position = 0;
    closes_[row] = 1;
    // What the inner rule needs in this step it has computed already.
    if (options_.now().inner_state == InnerState::reset) inner()->reset_row(row);
  }
}

void LookaheadRule::update(const Chunk& chunk) const {
  inner()->update(chunk);
  if (closes_[chunk.row]) sync(chunk);
}

void LookaheadRule::sync(const Chunk& chunk) const {
  const double alpha = options_.now().alpha;
  pull_back(chunk, chunk.weights, chunk.in(*slow_), alpha);
  for (const Anchored& each : anchored_) pull_back(chunk, chunk.in(*each.moment), chunk.in(*each.anchor), alpha);
  if (options_.now().inner_state == InnerState::reset)
    inner()->reset(chunk);
  else
    inner()->rebase(chunk);
}

// The window starts anew from the weights and moments as they are, wherever in it this happens.
void LookaheadRule::rebase(const Chunk& chunk) const {
  UpdateRule::rebase(chunk);
  std::memcpy(chunk.in(*slow_), chunk.weights, chunk.bytes());
  for (const Anchored& each : anchored_) std::memcpy(chunk.in(*each.anchor), chunk.in(*each.moment), chunk.bytes());
}

void LookaheadRule::reset(const Chunk& chunk) const {
  UpdateRule::reset(chunk);
  rebase(chunk);
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

const OptimizerKind& lookahead_kind() {
  static const OptimizerKind kind = kind_of<Lookahead>("lookahead", fields());
  return kind;
}

}  // namespace scry::optim
