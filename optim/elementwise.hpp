#pragma once

// How an update equation becomes a rule. An Equation is a struct with
//   using Options = …;                                    with a `lr`; a flag `maximize` turns the gradient round
//   static constexpr std::string_view name;               as in expressions
//   static constexpr std::array fields{…};                Field<Options>, one an option
//   static constexpr std::array<SlotSpec, n> slots;       elementwise ones, in the order in which `update` takes them
//   static constexpr bool counts_steps;                   whether `Step` looks at t; it then has a slot, "step"
//   static constexpr std::string_view number;             where there is one: a number that each row keeps, beside t
//   static void check(const Options&);                    where there is one: of options against each other
//   template <class T> struct Step { T …; };              what is the same for all elements, every member a T
//   static Step<double> step(const Options&, double t);   in the t-th step (1, 2, …) of a row; where there is a number, also takes a double&
//   template <class V, class S> static V update(V w, V g, V& slot…, const S& s);   the new weight; V is a float or a double, or Traced
// The compiler makes vector code of `update`: no branches but those on `s`, which are the same for all elements.

#include <scry/core/memory.hpp>
#include <scry/optim/rule.hpp>
#include <scry/optim/traced.hpp>
#include <array>
#include <bit>

namespace scry::optim {

using std::abs;
using std::sqrt;

/// The larger one, and `a` where one is NaN.
template <class V>
V larger(V a, V b) {
  return a < b ? b : a;
}

/// -1, 0 or 1.
template <class V>
V sign(V x) {
  return static_cast<V>(x > 0) - static_cast<V>(x < 0);
}

/// a / b, and 0 where b is 0: without an ε, a weight that never had a gradient stays where it is.
template <class V>
V quotient(V a, V b) {
  return b != 0 ? a / b : 0;
}

/// A struct whose members all have one type, as an array.
template <template <class> class Members, class T>
constexpr auto as_array(const Members<T>& members) {
  return std::bit_cast<std::array<T, sizeof(Members<T>) / sizeof(T)>>(members);
}

/// The same struct with members of another type.
template <class To, template <class> class Members, class From>
Members<To> convert_members(const Members<From>& from) {
  const auto in = as_array(from);
  std::array<To, in.size()> out;
  for (size_t i = 0; i < in.size(); ++i) out[i] = static_cast<To>(in[i]);
  return std::bit_cast<Members<To>>(out);
}

/// An arena's memory from a chunk's beginning on.
template <class T>
T* aligned(std::byte* memory) {
  return static_cast<T*>(__builtin_assume_aligned(memory, memory::alignment));
}

/// The rule of an equation. What must see whole rows before it knows their steps derives from it and does that in `prepare`.
template <class Equation>
class ElementwiseRule : public RuleOf<typename Equation::Options> {
 public:
  using Options = typename Equation::Options;
  explicit ElementwiseRule(const Options& options) : RuleOf<Options>(Equation::name, Equation::fields, options) { check(options); }

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    const auto add = [&](std::string_view name, SlotRole role, SlotKind kind) {
      this->slots_.push_back(registry.add_slot(text(prefix, "/", name), role, kind));
    };
    for (const SlotSpec& spec : Equation::slots) add(spec.name, spec.role, SlotKind::elementwise);
    if (Equation::counts_steps) add("step", SlotRole::step, SlotKind::per_row);
    if constexpr (keeps_number) add(Equation::number, SlotRole::number, SlotKind::per_row);
  }

  void prepare(const StepInput& step) override {
    steps_.clear();
    which_.assign(step.rows.size(), 0);
    for (size_t i = 0; i < step.rows.size(); ++i) {
      if (step.rows[i].state != RowState::stepped) continue;
      Cause cause{step.table.rows[i].group, 0, 0, step.rows[i]};
      if (Equation::counts_steps) cause.t = ++this->slots_[slot_count]->numbers[i];
      if constexpr (requires(Options o) { o.maximize; })
        if (this->options(step.table.rows[i]).maximize) cause.input.scale *= -1;
      if constexpr (keeps_number) cause.number = this->slots_[slot_count + 1]->numbers[i];
      if (steps_.empty() || steps_.back().cause != cause) steps_.push_back(prepare(cause));
      which_[i] = steps_.size() - 1;
      if constexpr (keeps_number) this->slots_[slot_count + 1]->numbers[i] = steps_.back().number;
    }
  }

  bool alike(size_t a, size_t b) const override { return which_[a] == which_[b] || as_array(step_of(a).step) == as_array(step_of(b).step); }

  void update(const Chunk& chunk) const override { run<Equation>(chunk); }
  void trace(const Chunk& chunk, int64_t element, TracedTerms& terms) const override { run_traced<Equation>(chunk, element, terms); }

 protected:
  template <class T>
  using StepOf = typename Equation::template Step<T>;

  // What a row's step follows from.
  struct Cause {
    int32_t group;
    double t, number;
    RowInput input;
    bool operator==(const Cause&) const = default;
  };
  struct Prepared {
    Cause cause;
    StepOf<double> step;
    double number;
  };

  const Prepared& step_of(size_t row) const { return steps_[which_[row]]; }
  // Gives a row a step for itself, and that to be changed.
  StepOf<double>& own_step(size_t row) {
    steps_.push_back(step_of(row));
    which_[row] = steps_.size() - 1;
    return steps_.back().step;
  }

  // What `update` and `trace` do, by the `update` of an E.
  template <class E>
  void run(const Chunk& chunk) const {
    if (chunk.has_gradient) dispatch_chunk(chunk, [&]<class T>() { run<E, T>(chunk, std::make_index_sequence<slot_count>{}); });
  }
  template <class E>
  void run_traced(const Chunk& chunk, int64_t element, TracedTerms& terms) const {
    if (chunk.has_gradient)
      dispatch_chunk(chunk, [&]<class T>() { run_traced<E, T>(chunk, element, terms, std::make_index_sequence<slot_count>{}); });
  }

 private:
  static constexpr size_t slot_count = Equation::slots.size();
  static constexpr bool keeps_number = requires { Equation::number; };

  void check([[maybe_unused]] const Options& options) const final {
    if constexpr (requires { Equation::check(options); }) Equation::check(options);
  }

  Prepared prepare(const Cause& cause) const {
    const Options& options = this->options(static_cast<size_t>(cause.group));
    Prepared prepared{cause, {}, cause.number};
    if constexpr (keeps_number)
      prepared.step = Equation::step(options, cause.t, prepared.number);
    else
      prepared.step = Equation::step(options, cause.t);
    return prepared;
  }

  template <class E, class T, size_t... I>
  void run(const Chunk& chunk, std::index_sequence<I...>) const {
    const Prepared& prepared = step_of(chunk.row);
    const auto s = convert_members<T>(prepared.step);
    const RowInput input = prepared.cause.input;
    T* const w = aligned<T>(chunk.weights);
    const T* const g = aligned<T>(chunk.gradients);
    [[maybe_unused]] const std::array<T*, slot_count> slots{aligned<T>(chunk.in(*this->slots_[I]))...};
    constexpr int64_t line = memory::alignment / sizeof(T);
    const int64_t count = chunk.count / line * line;  // which it is; so the compiler needs no code for a rest
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) w[i] = E::update(w[i], input.read(g[i]), slots[I][i]..., s);
  }

  template <class E, class T, size_t... I>
  void run_traced(const Chunk& chunk, int64_t i, TracedTerms& terms, std::index_sequence<I...>) const {
    const Prepared& prepared = step_of(chunk.row);
    const auto s = convert_members<double>(convert_members<T>(prepared.step));
    [[maybe_unused]] const auto named = [&](std::string_view name, std::byte* memory) {
      return Traced(terms, std::string(name), aligned<T>(memory)[i]);
    };
    [[maybe_unused]] std::array<Traced, slot_count> slots{named(Equation::slots[I].name, chunk.in(*this->slots_[I]))...};
    Traced w(terms, "w", terms.weight);
    const Traced g(terms, "g", prepared.cause.input.read(aligned<T>(chunk.gradients)[i]));
    w = E::update(w, g, slots[I]..., s);
    terms.weight = w.value();
  }

  std::vector<Prepared> steps_;  // one for rows in line that have the same
  std::vector<size_t> which_;    // by row
};

}  // namespace scry::optim
