#include <scry/optim/rule.hpp>
#include <cstring>

// A rule without an answer of its own passes the question on to the one inside.
namespace scry::optim {

bool UpdateRule::reduce(const RegistryState& registry, std::span<const RowState> states) { return !inner_ || inner_->reduce(registry, states); }

void UpdateRule::prepare(const RegistryState& registry, std::span<const RowState> states) {
  if (inner_) inner_->prepare(registry, states);
}

bool UpdateRule::moves(size_t row, RowState state) const { return inner_ ? inner_->moves(row, state) : state == RowState::stepped; }

bool UpdateRule::alike(size_t a, size_t b) const { return !inner_ || inner_->alike(a, b); }

void UpdateRule::update(const Chunk& chunk) const {
  if (inner_) inner_->update(chunk);
}

const Slot* UpdateRule::averaged_weights() const { return inner_ ? inner_->averaged_weights() : nullptr; }

void UpdateRule::rebase(const Chunk& chunk) const {
  if (inner_) inner_->rebase(chunk);
}

void UpdateRule::reset(const Chunk& chunk) const {
  if (inner_) inner_->reset(chunk);
  for (const auto& slot : slots_)
    if (slot->kind == SlotKind::elementwise && slot->role != SlotRole::weights) std::memset(chunk.in(*slot), 0, chunk.bytes());
}

void UpdateRule::reset_row(size_t row) {
  if (inner_) inner_->reset_row(row);
  for (const auto& slot : slots_)
    if (slot->kind == SlotKind::per_row) slot->numbers[row] = 0;
}

void UpdateRule::finish(const Chunk& chunk) const {
  if (inner_) inner_->finish(chunk);
}

void UpdateRule::finish_row(size_t row) {
  if (inner_) inner_->finish_row(row);
}

}  // namespace scry::optim
