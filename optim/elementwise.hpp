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
class ElementwiseRule final : public UpdateRule {
 public:
  using Options = typename Equation::Options;
  explicit ElementwiseRule(const Options& options) : options_(Equation::name, Equation::fields(), options) { Equation::check(options); }

  std::string_view name() const override { return Equation::name; }
  std::vector<Hyperparameter> hyperparameters() const override { return options_.list(); }
  bool set(std::string_view name, double value) override {
    const auto changed = options_.with(name, value);
    if (!changed) return false;
    Equation::check(*changed);
    options_.assign(*changed);
    return true;
  }
  void set_all(std::span<const double> values) override {
    const Options changed = options_.with(values);
    Equation::check(changed);
    options_.assign(changed);
  }

  void make_slots(RegistryState& registry, const std::string& prefix) override {
    for (const SlotSpec& spec : Equation::slots) slots_.push_back(registry.add_slot(text(prefix, "/", spec.name), spec.role, SlotKind::elementwise));
    if (Equation::counts_steps) slots_.push_back(registry.add_slot(prefix + "/step", SlotRole::step, SlotKind::per_row));
  }

  void prepare(const RegistryState&, std::span<const RowState> states) override {
    steps_.resize(states.size());
    double last_count = -1;
    StepOf<double> last{};
    for (size_t row = 0; row < states.size(); ++row) {
      if (states[row] != RowState::stepped) continue;
      const double count = Equation::counts_steps ? ++slots_.back()->numbers[row] : 0;
      if (count != last_count) last = Equation::step(options_.now(), count);
      last_count = count;
      steps_[row] = last;
    }
  }

  bool alike(size_t a, size_t b) const override { return steps_[a] == steps_[b]; }

  void update(const Chunk& chunk) const override {
    if (!chunk.has_gradient) return;
    dispatch_chunk(chunk, [&]<class T>() { run<T>(chunk, std::make_index_sequence<slot_count>{}); });
  }

 private:
  template <class T>
  using StepOf = typename Equation::template Step<T>;
  static constexpr size_t slot_count = Equation::slots.size();

  template <class T, size_t... I>
  void run(const Chunk& chunk, std::index_sequence<I...>) const {
    using V = xsimd::batch<T>;
    const auto s = convert_members<StepOf<T>>(steps_[chunk.row]);
    const V scale(static_cast<T>(chunk.gradient_scale));
    T* const w = reinterpret_cast<T*>(chunk.weights);
    const T* const g = reinterpret_cast<const T*>(chunk.gradients);
    [[maybe_unused]] const std::array<T*, slot_count> slots{reinterpret_cast<T*>(chunk.in(*slots_[I]))...};
    for (int64_t i = 0; i < chunk.count; i += static_cast<int64_t>(V::size)) {
      [[maybe_unused]] std::array<V, slot_count> state{V::load_aligned(slots[I] + i)...};
      const V updated = Equation::update(V::load_aligned(w + i), V::load_aligned(g + i) * scale, state[I]..., s);
      updated.store_aligned(w + i);
      (state[I].store_aligned(slots[I] + i), ...);
    }
  }

  OptionValues<Options> options_;
  std::vector<StepOf<double>> steps_;  // by row
};

}  // namespace scry::optim
