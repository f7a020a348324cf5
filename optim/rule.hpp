#pragma once

// What an optimizer is inside: a rule that changes weights chunk by chunk, and rules wrapped around it. For those who add one.

#include <scry/optim/options.hpp>
#include <scry/optim/registry_state.hpp>

namespace scry::optim {

/// What a row does in a step.
enum class RowState : uint8_t {
  outside,  ///< nothing: a buffer, or a parameter that was never trained
  idle,     ///< it has no gradient now; a wrapper may still move it
  stepped   ///< it has a gradient
};

/// Neighbouring elements of one arena whose rows step alike. A multiple of a cache line long, so whole registers always.
struct Chunk {
  size_t row;  ///< the first of the run of rows that it was cut from; it stands for all of them
  int32_t segment;
  DType dtype;
  bool has_gradient;
  int64_t offset, count;  ///< in elements
  std::byte* weights;
  const std::byte* gradients;
  double gradient_scale = 1;  ///< gradients are multiplied by this when they are read

  size_t bytes() const { return static_cast<size_t>(count) * size_of(dtype); }
  /// The chunk's part of an elementwise slot.
  std::byte* in(const Slot& slot) const { return slot.arenas[static_cast<size_t>(segment)]->data() + static_cast<size_t>(offset) * size_of(dtype); }
};

/// Calls `function.operator()<T>()` with the chunk's element type.
template <class F>
void dispatch_chunk(const Chunk& chunk, F&& function) {
  if (chunk.dtype == f32)
    function.template operator()<float>();
  else
    function.template operator()<double>();
}

/// An update rule or a wrapper around one. A step calls `reduce`, then `prepare`, then `update` for every chunk, from several threads.
class UpdateRule {
 public:
  UpdateRule() = default;
  virtual ~UpdateRule() = default;
  UpdateRule(const UpdateRule&) = delete;
  UpdateRule& operator=(const UpdateRule&) = delete;

  /// As in expressions and slot names: "adam".
  virtual std::string_view name() const = 0;
  virtual std::vector<Hyperparameter> hyperparameters() const = 0;
  /// Changes one, from the next step on. False where there is none of this name; an Error where the value is out of range.
  virtual bool set(std::string_view name, double value) = 0;
  /// Changes all of them, in the order of `hyperparameters`; or none, with an Error.
  virtual void set_all(std::span<const double> values) = 0;

  /// Makes the rule's own slots, called `prefix`/….
  virtual void make_slots(RegistryState& registry, const std::string& prefix) = 0;
  /// Gives its slots of one segment their first values; they are zero.
  virtual void fill_slots(const RegistryState&, int32_t) {}
  const std::vector<std::shared_ptr<Slot>>& slots() const { return slots_; }

  /// Looks over all gradients before anything changes. False skips the step: nothing changes or counts.
  virtual bool reduce(const RegistryState& registry, std::span<const RowState> states);
  /// Counts the step and computes what is the same for all elements of a row.
  virtual void prepare(const RegistryState& registry, std::span<const RowState> states);
  /// Whether the step changes this row, after `prepare`.
  virtual bool moves(size_t row, RowState state) const;
  /// Whether chunks may reach over both rows, after `prepare`.
  virtual bool alike(size_t a, size_t b) const;
  /// The step for one chunk. Never throws.
  virtual void update(const Chunk& chunk) const;

  /// The slot of the weights to evaluate and ship, where they aren't those that are stepped; else null.
  virtual const Slot* averaged_weights() const;
  /// The chunk's weights were set from outside: state that refers to earlier ones starts anew from them.
  virtual void rebase(const Chunk& chunk) const;
  /// All state of the chunk back to its initial value, given its weights now.
  virtual void reset(const Chunk& chunk) const;
  /// The same for what is kept by row.
  virtual void reset_row(size_t row);
  /// The chunk's weights become those to ship.
  virtual void finish(const Chunk& chunk) const;
  virtual void finish_row(size_t row);

  UpdateRule* inner() const { return inner_.get(); }
  void put_around(std::unique_ptr<UpdateRule> inner) { inner_ = std::move(inner); }
  std::unique_ptr<UpdateRule> take_inner() { return std::move(inner_); }

 protected:
  std::vector<std::shared_ptr<Slot>> slots_;

 private:
  std::unique_ptr<UpdateRule> inner_;
};

}  // namespace scry::optim
