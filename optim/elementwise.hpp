#pragma once

// How an update equation becomes a rule. An Equation is a struct with
//   using Options = …;                                    with a `lr`
//   static constexpr std::string_view name;               as in expressions
//   static constexpr std::array<SlotSpec, n> slots;       elementwise ones, in the order in which `update` takes them
//   static constexpr bool counts_steps;                   whether `Step` looks at t; it then has a slot, "step"
//   static const std::vector<Field<Options>>& fields();
//   static void check(const Options&);                    of options against each other
//   template <class T> struct Step { T …; };              what is the same for all elements, every member a T
//   static Step<double> step(const Options&, double t);   in the t-th step (1, 2, …) of a row
//   template <class V, class S> static V update(V w, V g, V& slot…, const S& s);   the new weight; V is a register

#include <scry/optim/rule.hpp>
#include <array>
#include <bit>
#include <xsimd/xsimd.hpp>

namespace scry::optim {

/// The same struct with members of another type.
template <class To, class From>
To convert_members(const From& from) {
  using Out = typename To::value_type;
  using In = typename From::value_type;
  const auto in = std::bit_cast<std::array<In, sizeof(From) / sizeof(In)>>(from);
  std::array<Out, sizeof(From) / sizeof(In)> out;
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<Out>(in[i]);
  return std::bit_cast<To>(out);
}

template <class Equation>
class ElementwiseRule final : public RuleOf<typename Equation::Options> {
 public:
  using Options = typename Equation::Options;
  explicit ElementwiseRule(const Options& options) : RuleOf<Options>(Equation::name, Equation::fields(), options) { Equation::check(options); }

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    auto& slots = this->slots_;
    for (const SlotSpec& spec : Equation::slots) slots.push_back(registry.add_slot(text(prefix, "/", spec.name), spec.role, SlotKind::elementwise));
    if (Equation::counts_steps) slots.push_back(registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row));
  }

  void prepare(const StepInput& step) override {
    steps_.clear();
    which_.assign(step.rows.size(), 0);
    for (size_t i = 0; i < step.rows.size(); ++i) {
      if (step.rows[i].state != RowState::stepped) continue;
      const Row& row = step.table.rows[i];
      const Cause cause{row.group, Equation::counts_steps ? ++this->slots_.back()->numbers[i] : 0, step.rows[i]};
      if (steps_.empty() || steps_.back().cause != cause) steps_.push_back({cause, Equation::step(this->options(row), cause.count)});
      which_[i] = steps_.size() - 1;
    }
  }

  bool alike(size_t a, size_t b) const override { return which_[a] == which_[b] || steps_[which_[a]].step == steps_[which_[b]].step; }

  void update(const Chunk& chunk) const override {
    if (!chunk.has_gradient) return;
    dispatch_chunk(chunk, [&]<class T>() { run<T>(chunk, std::make_index_sequence<slot_count>{}); });
  }

 private:
  template <class T>
  using StepOf = typename Equation::template Step<T>;
  static constexpr size_t slot_count = Equation::slots.size();

  void check(const Options& options) const override { Equation::check(options); }

  template <class T, size_t... I>
  void run(const Chunk& chunk, std::index_sequence<I...>) const {
    using V = xsimd::batch<T>;
    const auto& [cause, step] = steps_[which_[chunk.row]];
    const auto s = convert_members<StepOf<T>>(step);
    const V scale(static_cast<T>(cause.input.scale)), limit(static_cast<T>(cause.input.limit));
    T* const w = reinterpret_cast<T*>(chunk.weights);
    const T* const g = reinterpret_cast<const T*>(chunk.gradients);
    [[maybe_unused]] const std::array<T*, slot_count> slots{reinterpret_cast<T*>(chunk.in(*this->slots_[I]))...};
    for (int64_t i = 0; i < chunk.count; i += static_cast<int64_t>(V::size)) {
      [[maybe_unused]] std::array<V, slot_count> state{V::load_aligned(slots[I] + i)...};
      const V gradient = xsimd::max(-limit, xsimd::min(limit, V::load_aligned(g + i) * scale));  // in this order NaN stays
      const V updated = Equation::update(V::load_aligned(w + i), gradient, state[I]..., s);
      updated.store_aligned(w + i);
      (state[I].store_aligned(slots[I] + i), ...);
    }
  }

  struct Cause {
    int32_t group;
    double count;
    RowInput input;
    bool operator==(const Cause&) const = default;
  };
  struct Prepared {
    Cause cause;
    StepOf<double> step;
  };
  std::vector<Prepared> steps_;  // one for rows in line that have the same
  std::vector<size_t> which_;    // by row
};

}  // namespace scry::optim
