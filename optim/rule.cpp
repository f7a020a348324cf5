#include <scry/optim/rule.hpp>
#include <cstring>

namespace scry::optim {

Chunk chunk_of(const RegistryState& table, size_t row, int64_t offset, int64_t count, bool has_gradient, const Slot* gradients) {
  const int32_t index = table.rows[row].segment;
  const auto s = static_cast<size_t>(index);
  const Segment& segment = table.segments[s];
  const Ref<Storage>& memory = gradients ? gradients->arenas[s] : segment.gradients;  // buffers have none
  const int64_t at = offset * static_cast<int64_t>(size_of(segment.dtype));
  return {.row = row,
          .segment = index,
          .dtype = segment.dtype,
          .has_gradient = has_gradient,
          .offset = offset,
          .count = count,
          .weights = segment.values->data() + at,
          .gradients = memory ? memory->data() + at : nullptr};
}

void UpdateRule::set(size_t option, double value, size_t group) {
  const OptionTable::Before before = options_.put(option, value, group);
  try {
    check_groups(options_);
  } catch (...) {
    options_.undo(before);
    throw;
  }
  options_changed();
}

void UpdateRule::check_groups(const OptionTable& table) const {
  for (size_t group = 0; group < table.groups(); ++group) check_values(table.values(group));
}

void UpdateRule::assign(OptionTable table) {
  options_ = std::move(table);
  options_changed();
}

void UpdateRule::put_around(std::unique_ptr<UpdateRule> inner) {
  inner_ = std::move(inner);
  while (options_.groups() < inner_->options_.groups()) options_.add_group();
  options_changed();
}

// A rule without an answer of its own passes the question on to the one inside.

bool UpdateRule::reduce(StepInput& step) { return !inner_ || inner_->reduce(step); }

void UpdateRule::prepare(const StepInput& step) {
  if (inner_) inner_->prepare(step);
}

bool UpdateRule::moves(size_t row, RowState state) const { return inner_ ? inner_->moves(row, state) : state == RowState::stepped; }

bool UpdateRule::alike(size_t a, size_t b) const { return !inner_ || inner_->alike(a, b); }

void UpdateRule::update(const Chunk& chunk) const {
  if (inner_) inner_->update(chunk);
}

void UpdateRule::trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const {
  if (inner_) inner_->trace(chunk, element, terms);
}

bool UpdateRule::defers() const { return inner_ && inner_->defers(); }

void UpdateRule::conclude() {
  if (inner_) inner_->conclude();
}

void UpdateRule::settle(const Chunk& chunk) const {
  if (inner_) inner_->settle(chunk);
}

bool UpdateRule::close_windows() { return inner_ && inner_->close_windows(); }

const Slot* UpdateRule::averaged_weights() const { return inner_ ? inner_->averaged_weights() : nullptr; }

void UpdateRule::rebase(const Chunk& chunk) const {
  if (inner_) inner_->rebase(chunk);
}

void UpdateRule::reset(const Chunk& chunk) const {
  if (inner_) inner_->reset(chunk);
  for (const auto& slot : slots_)
    if (slot->kind == SlotKind::elementwise && slot->role != SlotRole::weights && chunk.lies_in(*slot))
      std::memset(chunk.in(*slot), 0, chunk.bytes());
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
