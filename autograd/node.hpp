#pragma once

// What the tape is made of: one node for each tensor that a gradient flows to.

#include <scry/core/region.hpp>
#include <scry/core/tensor.hpp>
#include <atomic>

namespace scry::autograd {

class Node;
class Run;
struct Attachments;

/// What a rule is asked for, and where its results go.
class Gradients {
 public:
  Gradients(Node& node, Run& run) : node_(node), run_(run) {}
  /// Whether anyone wants the gradient of input `i`.
  bool wanted(size_t i) const;
  /// Whether no other run comes, so that the rule may write over what only it has saved.
  bool last() const;
  /// A tensor of input `i`'s shape, row-major, to write its gradient to: its place in the registry's arena where that is free, else a new one.
  Tensor place(size_t i) const;
  /// Takes what has come for input `i` so far, for a rule that adds to it in place and hands on the sum; undefined where there is nothing, or where
  /// each part is of interest by itself.
  Tensor take_sum(size_t i);
  /// Adds to the gradient of input `i`; sums over broadcast axes and converts the type where needed. An undefined one stands for zeros.
  void add(size_t i, Tensor gradient);
  /// Adds to a part of the gradient of input `i`; the rest of it isn't touched.
  void add_at(size_t i, Tensor gradient, const Region& region);
  /// Goes on from `y`, which the rule has computed anew on the tape, with its gradient.
  void go_on_from(const Tensor& y, Tensor gradient);

 private:
  void deliver(size_t i, Tensor gradient, const Region* region);

  Node& node_;
  Run& run_;
};

/// A leaf, or one recorded op and its output.
class Node : public TapeNode {
 public:
  /// The output's op, type and shape.
  const char* op;
  DType dtype;
  const bool is_leaf;
  /// Whether gradients reach leaves that aren't among the inputs: those that a checkpointed function uses.
  bool reaches_unseen_leaves = false;
  bool freed = false;
  bool remakes = false;
  Shape shape;
  /// Greater than that of any input; backward runs through descending orders.
  uint64_t order = 0;

  Node(const char* name, const Tensor& output, bool leaf = false) : op(name), dtype(output.dtype()), is_leaf(leaf), shape(output.shape()) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() {
    if (attachments_) drop_attachments();
  }
  void dispose() final;
  static void* operator new(size_t bytes);
  static void operator delete(void* memory, size_t bytes) noexcept;

  /// The nodes of the inputs; empty where no gradient is wanted.
  std::span<const Ref<Node>> inputs() const { return {inputs_, input_count_}; }
  /// Gives every input its part of the gradient `g` of the output.
  virtual void run_rule(const Tensor& g, Gradients& gradients) = 0;
  /// Asks the op whose output nobody has seen yet to be followed by a clip to [low, high], which its output has been through; few rules can.
  virtual bool absorb_clip(double /*low*/, double /*high*/) { return false; }
  /// Computes the output anew from the saved values, on the tape, where `remakes` says so: then nobody has to keep it.
  virtual Tensor remake() { return {}; }
  /// Forgets the saved values; the graph is of no further use.
  virtual void free_saved() = 0;

  /// The hooks and the retained gradient; null for most nodes.
  Attachments* attachments() const { return attachments_; }
  Attachments& make_attachments();

  /// How many other nodes rely on `remake`.
  std::atomic<int32_t> relying = 0;

  // State of a run. It is never kept in leaves, which several threads may share.
  Tensor pending;  // what has arrived so far
  bool queued = false;
  bool leads_to_input = false;  // of grad(), as found by the run with the number `visit`
  uint64_t visit = 0;

 protected:
  void set_inputs(const Ref<Node>* inputs, size_t count);

 private:
  void drop_attachments();

  const Ref<Node>* inputs_ = nullptr;
  size_t input_count_ = 0;
  Node* next_in_line_ = nullptr;  // while it waits to be freed
  Attachments* attachments_ = nullptr;
};

/// The node of a tensor that was made, not computed; it holds the gradient.
class Leaf final : public Node {
 public:
  explicit Leaf(const Tensor& tensor) : Node("leaf", tensor, true) {}
  void run_rule(const Tensor&, Gradients&) override {}
  void free_saved() override {}

  /// Adds to the gradient. The first one overwrites, and goes to `window` where there is one.
  void accumulate(Tensor gradient, bool create_graph);
  /// Adds to a part of the gradient, which starts as zeros.
  void accumulate_at(const Tensor& gradient, const Region& region, bool create_graph);

  Tensor gradient;   ///< undefined where none has arrived
  Tensor window;     ///< the parameter's place in a registry's gradient arena
  std::string name;  ///< of its row in that registry; else empty
};

/// The node of a tensor that requires a gradient.
inline Node* node_of(const Tensor& x) { return static_cast<Node*>(x.node().tape.get()); }
/// The leaf of a tensor, or null for computed ones and those that need no gradient.
inline Leaf* leaf_of(const Tensor& x) {
  Node* node = node_of(x);
  return node && node->is_leaf ? static_cast<Leaf*>(node) : nullptr;
}

}  // namespace scry::autograd
