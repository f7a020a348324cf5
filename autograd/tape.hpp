#pragma once

// The tape: one node for each tensor that a gradient flows to. An op checks, computes, and says with `record` how the gradient flows back.

#include <scry/core/region.hpp>
#include <scry/core/tensor.hpp>
#include <array>
#include <optional>
#include <tuple>

namespace scry {

/// Whether ops are recorded in this thread; on at the start.
bool grad_enabled();

/// Nothing is recorded in this thread while one of these lives.
class NoGrad {
 public:
  NoGrad() : NoGrad(false) {}
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 protected:
  explicit NoGrad(bool enabled);

 private:
  bool before_;
};

/// The reverse, inside a NoGrad.
class EnableGrad : public NoGrad {
 public:
  explicit EnableGrad(bool enabled = true) : NoGrad(enabled) {}
};

namespace autograd {

class Node;

/// What a rule is asked for, and where its results go.
class Gradients {
 public:
  Gradients(Node& node, bool create_graph, const void* targets) : node_(node), create_graph_(create_graph), targets_(targets) {}
  /// Whether anyone wants the gradient of input `i`.
  bool wanted(size_t i) const;
  /// A tensor of input `i`'s shape, row-major, to write its gradient to: its place in the registry's arena where that is free, else a new one.
  Tensor place(size_t i) const;
  /// Adds to the gradient of input `i`; sums over broadcast axes and converts the type where needed.
  void add(size_t i, Tensor gradient);
  /// Adds to a part of the gradient of input `i`; the rest of it isn't touched.
  void add_at(size_t i, Tensor gradient, const Region& region);

 private:
  Node& node_;
  bool create_graph_;
  const void* targets_;
};

/// A leaf, or one recorded op and its output.
class Node : public TapeNode {
 public:
  /// The output's op, type and shape.
  const char* op;
  DType dtype;
  Shape shape;
  /// Greater than that of any input; backward runs through descending orders.
  uint64_t order;

  Node(const char* name, const Tensor& output) : op(name), dtype(output.dtype()), shape(output.shape()), order(0) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;
  void dispose() final;
  static void* operator new(size_t bytes);
  static void operator delete(void* memory, size_t bytes) noexcept;

  /// The nodes of the inputs; empty where no gradient is wanted.
  std::span<const Ref<Node>> inputs() const { return {inputs_, input_count_}; }
  virtual bool is_leaf() const { return false; }
  /// Gives every input its part of the gradient `g` of the output.
  virtual void run_rule(const Tensor& g, Gradients& gradients) = 0;
  /// Forgets the saved values; the graph is of no further use.
  virtual void free_saved() = 0;
  bool freed = false;

  // While backward runs: what has arrived so far.
  Tensor pending;
  bool queued = false;

 protected:
  void set_inputs(const Ref<Node>* inputs, size_t count);

 private:
  const Ref<Node>* inputs_ = nullptr;
  size_t input_count_ = 0;
  Node* next_in_line_ = nullptr;  // while it waits to be freed
};

/// The node of a tensor that was made, not computed; it holds the gradient.
class Leaf final : public Node {
 public:
  explicit Leaf(const Tensor& tensor) : Node("leaf", tensor) {}
  bool is_leaf() const override { return true; }
  void run_rule(const Tensor&, Gradients&) override {}
  void free_saved() override {}

  /// Adds to the gradient. The first one overwrites, and goes to `window` where there is one.
  void accumulate(Tensor gradient, bool create_graph);
  /// Adds to a part of the gradient, which starts as zeros.
  void accumulate_at(const Tensor& gradient, const Region& region, bool create_graph);

  Tensor gradient;  ///< undefined where none has arrived
  Tensor window;    ///< the parameter's place in a registry's gradient arena
};

/// The node of a tensor that requires a gradient.
inline Node* node_of(const Tensor& x) { return static_cast<Node*>(x.node().tape.get()); }
/// The leaf of a tensor, or null for computed ones and those that need no gradient.
Leaf* leaf_of(const Tensor& x);

/// Stands for the op's own output among the values to save.
struct Output {};
inline constexpr Output output;

namespace detail {

bool recording();
Ref<Node> node_ref(const Tensor& x);
void attach(const Tensor& y, Node* node);
[[noreturn]] void saved_value_changed(const char* op);

// How a saved value is kept until backward needs it: tensors with their version, anything else by value.
template <class T>
struct Saved {
  Saved(const T& kept, const Tensor&) : value(kept) {}
  const T& get(const Node&) const { return value; }
  T value;
};

template <>
struct Saved<Tensor> {
  Saved(const Tensor& kept, const Tensor&) : value(kept), version(kept.defined() ? kept.node().storage->version() : 0) {}
  const Tensor& get(const Node& node) const {
    if (value.defined() && value.node().storage->version() != version) saved_value_changed(node.op);
    return value;
  }
  Tensor value;
  uint32_t version;
};

// The output is kept without its place on the tape, or it would own itself.
template <>
struct Saved<Output> {
  Saved(const Output&, const Tensor& y) : value(y.detach()), version(y.node().storage->version()) {}
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
        kept(std::apply([&](const auto&... values) { return std::tuple<Saved<Kept>...>(Saved<Kept>(values, y)...); }, clause.kept)) {}
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
      : Node(name, y), clauses_(store(clauses, y)...), refs_{node_ref(clauses.input)...} {
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
      : Node(name, y), refs_(std::move(inputs)), rule_(rule), kept_(std::in_place, Saved<Kept>(kept, y)...) {
    size_t i = 0;
    for (const Tensor& x : tensors) refs_[i++] = node_ref(x);
    set_inputs(refs_.data(), refs_.size());
  }
  void run_rule(const Tensor& g, Gradients& gradients) override {
    std::apply([&](const auto&... saved) { rule_(g, gradients, saved.get(*this)...); }, *kept_);
  }
  void free_saved() override { kept_.reset(); }

 private:
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

/// Puts `y`, new and just computed, on the tape, if recording is on and an input of a clause requires a gradient. Returns it.
template <class... Clauses>
Tensor record(const char* op, Tensor y, const Clauses&... clauses) {
  if (detail::recording() && (clauses.input.requires_grad() || ...)) detail::attach(y, new detail::ClauseNode<Clauses...>(op, y, clauses...));
  return y;
}

/// As `record`, with one rule for all inputs: `rule(g, gradients, values…)` calls `gradients.add(i, …)` for each input that is `wanted`.
template <size_t count, class Rule, class... Kept>
Tensor record_joint(const char* op, Tensor y, const Tensor (&inputs)[count], Rule rule, const Kept&... kept) {
  bool any = false;
  for (const Tensor& x : inputs) any = any || (x.defined() && x.requires_grad());
  if (any && detail::recording())
    detail::attach(y, new detail::JointNode<Rule, std::array<Ref<Node>, count>, Kept...>(op, y, inputs, {}, rule, kept...));
  return y;
}

/// The same for any number of inputs.
template <class Rule, class... Kept>
Tensor record_many(const char* op, Tensor y, std::span<const Tensor> inputs, Rule rule, const Kept&... kept) {
  bool any = false;
  for (const Tensor& x : inputs) any = any || x.requires_grad();
  if (any && detail::recording())
    detail::attach(y,
                   new detail::JointNode<Rule, std::vector<Ref<Node>>, Kept...>(op, y, inputs, std::vector<Ref<Node>>(inputs.size()), rule, kept...));
  return y;
}

/// A view of `x`, on the tape. All views that show a part of a tensor are made here.
Tensor record_view(const char* op, const Tensor& x, const Region& region);

/// `whole` with `part` added in a region, in the memory of `whole` where nobody else looks at it; differentiable.
Tensor add_at(Tensor whole, const Tensor& part, const Region& region);

}  // namespace autograd
}  // namespace scry
