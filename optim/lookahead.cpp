#include <scry/optim/kinds.hpp>
#include <scry/optim/lookahead.hpp>
#include <scry/optim/rule.hpp>
#include <algorithm>
#include <cstring>
#include <xsimd/xsimd.hpp>

namespace scry::optim {
namespace {

constexpr std::array<std::string_view, 3> inner_states{"keep", "pull_back", "reset"};

using Options = LookaheadOptions;
constexpr std::array fields{
    identity(field<&Options::k>("k", {1, 1e15})),
    identity(field<&Options::alpha>("alpha", fraction)),
    fixed(field<&Options::inner_state>("inner_state", any_number, inner_states)),
};

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

class LookaheadRule final : public RuleOf<LookaheadOptions> {
 public:
  explicit LookaheadRule(const LookaheadOptions& options) : RuleOf("lookahead", fields, options) {}

  void make_slots(RegistryState& registry, const std::string& prefix) override;
  void fill_slots(const RegistryState& registry, int32_t segment) override;

  void start_group(const RegistryState& registry, int32_t group) override;

  void prepare(const StepInput& step) override;
  bool moves(size_t row, RowState state) const override { return closes_[row] || UpdateRule::moves(row, state); }
  bool alike(size_t a, size_t b) const override { return closes_[a] == closes_[b] && UpdateRule::alike(a, b); }
  void update(const Chunk& chunk) const override;

  const Slot* averaged_weights() const override { return slow_.get(); }
  void rebase(const Chunk& chunk) const override;
  void reset(const Chunk& chunk) const override;
  void finish(const Chunk& chunk) const override;
  void finish_row(size_t row) override;

 private:
  void sync(const Chunk& chunk) const;

  struct Anchored {
    std::shared_ptr<Slot> moment, anchor;
  };
  const RegistryState* table_ = nullptr;
  std::shared_ptr<Slot> slow_, position_;  // the position in the window: steps since the last sync
  std::vector<Anchored> anchored_;
  std::vector<uint8_t> closes_;  // by row: whether this step ends its window
};

void LookaheadRule::make_slots(RegistryState& registry, const std::string& prefix) {
  table_ = &registry;
  slow_ = registry.add_slot(prefix + "/slow", SlotRole::weights, SlotKind::elementwise);
  position_ = registry.add_slot(prefix + "/position", SlotRole::step, SlotKind::per_row);
  slots_ = {slow_, position_};
  if (options().inner_state != InnerState::pull_back) return;
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

void LookaheadRule::start_group(const RegistryState& registry, int32_t group) {
  for (size_t i = 0; i < registry.rows.size(); ++i) {
    const Row& row = registry.rows[i];
    const auto s = static_cast<size_t>(row.segment);
    if (row.group != group || !registry.segments[s].active) continue;
    const size_t width = size_of(row.value.dtype()), offset = static_cast<size_t>(row.offset) * width,
                 bytes = static_cast<size_t>(row.padded) * width;
    const auto copy = [&](const Ref<Storage>& from, const Slot& to) { std::memcpy(to.arenas[s]->data() + offset, from->data() + offset, bytes); };
    copy(registry.segments[s].values, *slow_);
    for (const auto& [moment, anchor] : anchored_) copy(moment->arenas[s], *anchor);
    position_->numbers[i] = 0;
  }
}

void LookaheadRule::prepare(const StepInput& step) {
  UpdateRule::prepare(step);
  closes_.assign(step.rows.size(), 0);
  for (size_t i = 0; i < step.rows.size(); ++i) {
    if (step.rows[i].state == RowState::outside) continue;
    double& position = position_->numbers[i];
    if (++position < static_cast<double>(options(step.table.rows[i]).k)) continue;
    position = 0;
    closes_[i] = 1;
    // What the inner rule needs in this step it has computed already.
    if (options().inner_state == InnerState::reset) inner()->reset_row(i);
  }
}

void LookaheadRule::update(const Chunk& chunk) const {
  inner()->update(chunk);
  if (closes_[chunk.row]) sync(chunk);
}

void LookaheadRule::sync(const Chunk& chunk) const {
  const double alpha = options(table_->rows[chunk.row]).alpha;
  pull_back(chunk, chunk.weights, chunk.in(*slow_), alpha);
  for (const Anchored& each : anchored_) pull_back(chunk, chunk.in(*each.moment), chunk.in(*each.anchor), alpha);
  if (options().inner_state == InnerState::reset)
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
  static const OptimizerKind kind = kind_of<Lookahead, fields>("lookahead");
  return kind;
}

}  // namespace scry::optim
