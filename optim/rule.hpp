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

/// What a rule finds of one row, from the rules around it.
struct RowInput {
  RowState state;
  double scale;  ///< gradients are multiplied by this, which is above 0, when they are read,
  double limit;  ///< and then clamped to ± this
  /// An element of the gradient as the rule shall see it.
  template <class T>
  T read(T g) const {
    const T scaled = g * static_cast<T>(scale), most = static_cast<T>(limit);
    return scaled > most ? most : scaled < -most ? -most : scaled;  // NaN stays
  }
  bool operator==(const RowInput&) const = default;
};

/// One step. In `reduce` a rule may change it for those inside.
struct StepInput {
  const RegistryState& table;
  std::span<RowInput> rows;
  const Slot* gradients = nullptr;  ///< where the gradients are, if not in the segments' own arenas
};

/// Neighbouring elements of one arena whose rows step alike. A multiple of a cache line long, so whole registers always.
struct Chunk {
  size_t row;  ///< the first of the run of rows that it was cut from; it stands for all of them
  int32_t segment;
  DType dtype;
  bool has_gradient;
  int64_t offset, count;  ///< in elements
  std::byte* weights;
  std::byte* gradients;  ///< before scale and limit

  size_t bytes() const { return static_cast<size_t>(count) * size_of(dtype); }
  /// Whether an elementwise slot has a part for the chunk, and the part.
  bool lies_in(const Slot& slot) const { return static_cast<bool>(slot.arenas[static_cast<size_t>(segment)]); }
  std::byte* in(const Slot& slot) const { return slot.arenas[static_cast<size_t>(segment)]->data() + static_cast<size_t>(offset) * size_of(dtype); }
};

/// Elements of the arena in which `row` lies.
Chunk chunk_of(const RegistryState& table, size_t row, int64_t offset, int64_t count, bool has_gradient, const Slot* gradients);

/// Calls `function.operator()<T>()` with the chunk's element type.
template <class F>
void dispatch_chunk(const Chunk& chunk, F&& function) {
  if (chunk.dtype == f32)
    function.template operator()<float>();
  else
    function.template operator()<double>();
}

struct TracedTerms;

/// An update rule or a wrapper around one. A step calls `reduce`, then `prepare`, then `update` for every chunk, from several threads.
class UpdateRule {
 public:
  /// `name` as in expressions and slot names: "adam"; it and the options' names live as long as the program.
  explicit UpdateRule(std::string_view name, std::vector<Hyperparameter> options = {}) : name_(name), options_(name, std::move(options)) {}
  virtual ~UpdateRule() = default;
  UpdateRule(const UpdateRule&) = delete;
  UpdateRule& operator=(const UpdateRule&) = delete;

  std::string_view name() const { return name_; }
  const OptionTable& options_table() const { return options_; }
  std::vector<Hyperparameter> hyperparameters(size_t group = 0) const { return options_.list(group); }
  /// Changes an option from the next step on, for one group or for all that follow. Out of range it is an Error and nothing has changed.
  void set(size_t option, double value, size_t group);
  /// An Error unless all options in a changed copy of the table go together.
  void check_groups(const OptionTable& table) const;
  /// Takes over a table that `check_groups` let pass.
  void assign(OptionTable table);

  /// Makes the rule's own slots, where it has some, called `prefix`/….
  virtual void make_slots(RegistryState& /*registry*/, const std::string& /*prefix*/) {}
  /// Gives its slots of one segment, in which it has some, their first values; they are zero.
  virtual void fill_slots(const RegistryState&, int32_t) {}
  /// A group was added: what refers to earlier weights of its rows starts anew.
  virtual void start_group(const RegistryState&, int32_t) {}
  const std::vector<std::shared_ptr<Slot>>& slots() const { return slots_; }

  /// Looks over all gradients before any weight changes. False skips the step: no weight changes and nothing inside counts it.
  virtual bool reduce(StepInput& step);
  /// Counts the step and computes what is the same for all elements of a row.
  virtual void prepare(const StepInput& step);
  /// Whether the step changes this row, after `prepare`.
  virtual bool moves(size_t row, RowState state) const;
  /// Whether chunks may reach over both rows, of one group and with the same input, after `prepare`.
  virtual bool alike(size_t a, size_t b) const;
  /// The step for one chunk. Never throws.
  virtual void update(const Chunk& chunk) const;
  /// Notes the terms of what `update` is about to do to one element of the chunk, and the weight that comes of it. Changes nothing.
  virtual void trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const;
  /// Whether this step leaves something over until all chunks are updated. Then `conclude` is called, and `settle` for each of them.
  virtual bool defers() const;
  virtual void conclude();
  virtual void settle(const Chunk& chunk) const;
  /// All windows of the outermost Lookahead close in the next step. False where there is none.
  virtual bool close_windows();

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
  /// Wraps `inner`, whose groups it takes over.
  void put_around(std::unique_ptr<UpdateRule> inner);
  std::unique_ptr<UpdateRule> take_inner() { return std::move(inner_); }

 protected:
  std::vector<std::shared_ptr<Slot>> slots_;

 private:
  virtual void check_values(std::span<const double>) const {}
  virtual void options_changed() {}

  std::string_view name_;
  OptionTable options_;
  std::unique_ptr<UpdateRule> inner_;
};

/// A rule with options of this type.
template <class Options>
class RuleOf : public UpdateRule {
 protected:
  RuleOf(std::string_view name, std::span<const Field<Options>> fields, const Options& options)
      : UpdateRule(name, declare(fields, options)), fields_(fields), by_group_{options} {}
  /// As they are now.
  const Options& options(size_t group = 0) const { return by_group_[group]; }
  const Options& options(const Row& row) const { return by_group_[static_cast<size_t>(row.group)]; }

 private:
  /// Of options against each other; a constructor calls it for itself.
  virtual void check(const Options&) const {}
  void check_values(std::span<const double> values) const final { check(options_of(fields_, values)); }
  void options_changed() final {
    by_group_.resize(options_table().groups());
    for (size_t group = 0; group < by_group_.size(); ++group) by_group_[group] = options_of(fields_, options_table().values(group));
  }

  std::span<const Field<Options>> fields_;
  std::vector<Options> by_group_;
};

}  // namespace scry::optim
