#pragma once

// One run of backward() or grad(), for the tape's own sources.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/node.hpp>
#include <vector>

namespace scry::autograd {

/// Nodes with a gradient to pass on, the latest first. Owned by the graph, which outlives the run.
class Queue {
 public:
  Queue();
  ~Queue();
  void push(Node& node);
  Node* pop();

 private:
  struct Entry {
    uint64_t order;  // beside the node, which lies anywhere in memory
    Node* node;
    friend bool operator<(const Entry& a, const Entry& b) { return a.order < b.order; }
  };
  std::vector<Entry> heap_;
};

/// Gradients that have arrived for some nodes and are kept beside them: other threads may be looking at a leaf.
class Collected {
 public:
  struct Entry {
    Node* node;
    Tensor sum;
  };
  /// The entry of `node`; null where it has none.
  Entry* find(const Node& node);
  Entry& make(Node& node);
  std::span<Entry> entries() { return entries_; }

 private:
  std::vector<Entry> entries_;  // by address
};

class Run {
 public:
  /// Of backward(): the leaves' gradients are added to what they hold.
  explicit Run(const GradOptions& options) : Run(options, {}, false) {}
  /// Of grad(): the gradients of `inputs` are collected, and only nodes that lead to them are visited.
  Run(const GradOptions& options, std::span<const Tensor> inputs) : Run(options, inputs, true) {}

  void go(std::span<const Tensor> outputs, std::span<const Tensor> gradients);
  /// What has been collected for an input of grad().
  Tensor gradient_of(const Tensor& input) { return collected_.find(*node_of(input))->sum; }

 private:
  friend class Gradients;
  Run(const GradOptions& options, std::span<const Tensor> inputs, bool only_inputs);
  void start_from(const Tensor& y, Tensor gradient);
  void find_ways_to_inputs(Node& root);
  bool wants(const Node& node);
  bool wants_input_of(const Node& node);
  void deliver(Node& node, Tensor gradient, const Region* region);
  void visit(Node& node);
  void finish();

  const bool create_graph_, retain_, only_inputs_;
  const uint64_t number_;
  Queue queue_;
  Collected collected_;
  std::vector<Tensor> recomputed_;  // by rules; kept until they have been gone through
};

/// whole, row-major, = `part` in a region and zeros around it.
void place(const Tensor& whole, const Tensor& part, const Region& region);

}  // namespace scry::autograd
