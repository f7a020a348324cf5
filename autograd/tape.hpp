#pragma once

// The tape: an op checks, computes, and says with `record` how the gradient flows back.

#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/observer.hpp>
#include <scry/core/memory.hpp>
#include <array>
#include <optional>
#include <tuple>

namespace scry::autograd {

/// Stands for the op's own output among the values to save.
struct Output {};
inline constexpr Output output;

namespace detail {

void attach(const Tensor& y, Node* node);
[[noreturn]] void saved_value_changed(const char* op);

// How a saved value is kept until backward needs it: tensors with their version, or, where the op `may_rely` on it, by the node that computes
// them anew; anything else by value.
template <class T>
struct Saved {
  Saved(const T& kept, const Tensor&, bool) : value(kept) {}
  const T& get(const Node&) const { return value; }
  T value;
};

// The node that computes a saved tensor anew, if one does.
class Maker {
 public:
  Maker() = default;
  explicit Maker(const Tensor& kept) {
    if (!kept.defined()) return;
    if (Node* const node = node_of(kept); node && node->remakes) [[unlikely]]
      rely_on(node);
  }
  Maker(Maker&&) = default;
  ~Maker() {
    if (node_) let_go();
  }
  explicit operator bool() const { return static_cast<bool>(node_); }
  Tensor remake() const { return node_->remake(); }

 private:
  void rely_on(Node* node);
  void let_go() const;

  Ref<Node> node_;
};

template <>
struct Saved<Tensor> {
  Saved(const Tensor& kept, const Tensor&, bool may_rely) : maker(may_rely ? Maker(kept) : Maker()) {
    if (maker || !kept.defined()) return;
    value = kept;
    version = kept.node().storage->version();
  }
  const Tensor& get(const Node& node) const {
    if (maker && !value.defined()) {
      value = maker.remake();
      version = value.node().storage->version();
    }
    if (value.defined() && value.node().storage->version() != version) saved_value_changed(node.op);
    return value;
  }
  Maker maker;
  mutable Tensor value;
  mutable uint32_t version = 0;
};

// The output is kept without its place on the tape, or it would own itself.
template <>
struct Saved<Output> {
  Saved(const Output&, const Tensor& y, bool) : value(y.detach()), version(y.node().storage->version()) {}
  Tensor get(Node& node) const;
  Tensor value;
  uint32_t version;
};

template <class Rule, class... Kept>
struct Clause {
  const Tensor& input;
  Rule rule;
  std::tuple<const Kept&...> kept;
};

template <class Clause>
struct StoredClause;

template <class Rule, class... Kept>
struct StoredClause<Clause<Rule, Kept...>> {
  StoredClause(const Clause<Rule, Kept...>& clause, const Tensor& y)
      : rule(clause.rule),
        kept(std::apply([&](const auto&... values) { return std::tuple<Saved<Kept>...>(Saved<Kept>(values, y, true)...); }, clause.kept)) {}
  Tensor run(const Tensor& g, Node& node) const {
    return std::apply([&](const auto&... saved) { return rule(g, saved.get(node)...); }, kept);
  }
  Rule rule;
  std::tuple<Saved<Kept>...> kept;
};

// A node with one rule for each input.
template <class... Clauses>
class ClauseNode final : public Node {
 public:
  ClauseNode(const char* name, const Tensor& y, const Clauses&... clauses)
      : Node(name, y), clauses_(store(clauses, y)...), refs_{Ref<Node>(node_of(clauses.input))...} {
    set_inputs(refs_.data(), refs_.size());
  }
  void run_rule(const Tensor& g, Gradients& gradients) override { run(g, gradients, std::index_sequence_for<Clauses...>{}); }
  void free_saved() override {
    std::apply([](auto&... clauses) { (clauses.reset(), ...); }, clauses_);
  }

 private:
  template <class C>
  static std::optional<StoredClause<C>> store(const C& clause, const Tensor& y) {
    if (!clause.input.requires_grad()) return std::nullopt;
    return StoredClause<C>(clause, y);
  }
  template <size_t... I>
  void run(const Tensor& g, Gradients& gradients, std::index_sequence<I...>) {
    const auto one = [&](size_t i, const auto& clause) {
      if (clause && gradients.wanted(i)) gradients.add(i, clause->run(g, *this));
    };
    (one(I, std::get<I>(clauses_)), ...);
  }

  std::tuple<std::optional<StoredClause<Clauses>>...> clauses_;
  std::array<Ref<Node>, sizeof...(Clauses)> refs_;
};

// A node with one rule for all inputs, for kernels that compute several gradients at once.
template <class Rule, class Inputs, class... Kept>
class JointNode final : public Node {
 public:
  template <class Tensors>
  JointNode(const char* name, const Tensor& y, const Tensors& tensors, Inputs inputs, const Rule& rule, const Kept&... kept)
      : Node(name, y), refs_(std::move(inputs)), rule_(rule), kept_(std::in_place, Saved<Kept>(kept, y, !has_remake)...) {
    size_t i = 0;
    for (const Tensor& x : tensors) refs_[i++] = x.defined() ? Ref<Node>(node_of(x)) : nullptr;
    set_inputs(refs_.data(), refs_.size());
    remakes = has_remake;
  }
  void run_rule(const Tensor& g, Gradients& gradients) override {
    std::apply([&](const auto&... saved) { rule_(g, gradients, saved.get(*this)...); }, *kept_);
  }
  Tensor remake() override {
    Tensor y;
    if constexpr (has_remake) {
      y = std::apply([&](const auto&... saved) { return rule_.remake(saved.get(*this)...); }, *kept_);
      y.node().tape = Ref<TapeNode>(this);
    }
    return y;
  }
  bool absorb_clip(double low, double high) override {
    if constexpr (requires { rule_.absorb_clip(low, high); }) return rule_.absorb_clip(low, high);
    return false;
  }
  void free_saved() override {
    if (relying == 0) kept_.reset();
  }

 private:
  // Such a node keeps what it is made from: a chain of them must not be made again link by link.
  static constexpr bool has_remake = requires(const Rule& rule, const Kept&... kept) { rule.remake(kept...); };

  Inputs refs_;
  Rule rule_;
  std::optional<std::tuple<Saved<Kept>...>> kept_;
};

}  // namespace detail

/// How the gradient flows to one input: `rule(g, values…)` returns the gradient of `input`, given that of the output and the values saved for it
/// (tensors, numbers, shapes, or `output`). It is written in differentiable ops, so that second derivatives work. Where the input was
/// broadcast the tape sums the gradient to its shape.
template <class Rule, class... Kept>
detail::Clause<Rule, Kept...> wrt(const Tensor& input, Rule rule, const Kept&... kept) {
  return {input, rule, {kept...}};
}

/// An op while it computes; made by `record`.
class Recorder {
 public:
  explicit Recorder(const char* op) : requester_(op), op_(op), start_(detail::observers ? detail::now() : 0) {}

  /// Puts `y`, new and just computed, on the tape, if recording is on and an input of a clause requires a gradient. Returns it.
  template <class... Clauses>
  Tensor operator()(Tensor y, const Clauses&... clauses) const {
    if (grad_enabled() && (clauses.input.requires_grad() || ...)) detail::attach(y, new detail::ClauseNode<Clauses...>(op_, y, clauses...));
    return computed(std::move(y));
  }

  /// The same with one rule for all inputs: `rule(g, gradients, values…)` calls `gradients.add(i, …)` for each input that is `wanted`. Inputs may
  /// be undefined.
  template <size_t count, class Rule, class... Kept>
  Tensor joint(Tensor y, const Tensor (&inputs)[count], Rule rule, const Kept&... kept) const {
    if (any_requires_grad(inputs))
      detail::attach(y, new detail::JointNode<Rule, std::array<Ref<Node>, count>, Kept...>(op_, y, inputs, {}, rule, kept...));
    return computed(std::move(y));
  }

  /// The same for any number of inputs.
  template <class Rule, class... Kept>
  Tensor many(Tensor y, std::span<const Tensor> inputs, Rule rule, const Kept&... kept) const {
    if (any_requires_grad(inputs))
      detail::attach(
          y, new detail::JointNode<Rule, std::vector<Ref<Node>>, Kept...>(op_, y, inputs, std::vector<Ref<Node>>(inputs.size()), rule, kept...));
    return computed(std::move(y));
  }

 private:
  static bool any_requires_grad(std::span<const Tensor> inputs) {
    if (!grad_enabled()) return false;
    for (const Tensor& x : inputs)
      if (x.defined() && x.requires_grad()) return true;
    return false;
  }
  Tensor computed(Tensor y) const {
    if (detail::observers) [[unlikely]]
      detail::announce_computed(op_, y, start_);
    return y;
  }

  const memory::Requester requester_;  // the name stands before the other arguments, so it is known when they are computed
  const char* op_;
  int64_t start_;
};

/// How every op ends: `return record("mul")(kernels::mul(a, b), wrt(a, …), wrt(b, …));`. The name stands before the other arguments, so it is known
/// when the op begins to compute them.
inline Recorder record(const char* op) { return Recorder(op); }

/// A view of `x`, on the tape. All views that show a part of a tensor are made here.
Tensor record_view(const char* op, const Tensor& x, const Region& region);

/// `whole` with `part` added in a region, in the memory of `whole` where nobody else looks at it; differentiable.
Tensor add_at(Tensor whole, const Tensor& part, const Region& region);

}  // namespace scry::autograd
