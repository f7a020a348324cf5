#include <scry/autograd/backward.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <algorithm>
#include <unordered_map>

namespace scry {
namespace autograd {
namespace {

// The inputs of grad(), which are collected instead of accumulated; null for backward().
using Targets = std::unordered_map<const Node*, Tensor>;

// Nodes with a gradient to pass on, the latest first. Owned by the graph, which outlives the run.
class Queue {
 public:
  Queue() { heap_.swap(spare()); }
  ~Queue() {
    for (Node* node : heap_) {  // only after an error is anything left
      node->pending = {};
      node->queued = false;
    }
    heap_.clear();
    heap_.swap(spare());
  }
  void push(Node& node) {
    if (node.queued) return;
    node.queued = true;
    heap_.push_back(&node);
    std::push_heap(heap_.begin(), heap_.end(), earlier);
  }
  Node* pop() {
    if (heap_.empty()) return nullptr;
    std::pop_heap(heap_.begin(), heap_.end(), earlier);
    Node* node = heap_.back();
    heap_.pop_back();
    node->queued = false;
    return node;
  }

 private:
  // The memory of the last run, for the next.
  static std::vector<Node*>& spare() {
    thread_local std::vector<Node*> memory;
    return memory;
  }
  static bool earlier(const Node* a, const Node* b) { return a->order < b->order; }
  std::vector<Node*> heap_;
};

thread_local Queue* running = nullptr;

bool owned_alone(const Tensor& x) { return x.node().unique() && x.node().storage->unique() && x.is_contiguous() && !x.requires_grad(); }

// sum + gradient, in place where the sum is this run's alone.
Tensor joined(Tensor sum, Tensor gradient, const Node& node, const Region* region, bool create_graph) {
  if (region) return add_at(sum.defined() ? std::move(sum) : zeros(node.shape, node.dtype), gradient, *region);
  if (!sum.defined()) return gradient;
  if (create_graph || !owned_alone(sum)) return add(sum, gradient);
  kernels::add_into(sum, gradient);
  return sum;
}

// With a region the gradient is that of this part of the node's tensor.
void deliver(Node& node, Tensor gradient, const Region* region, bool create_graph, Targets* targets) {
  if (gradient.dtype() != node.dtype) gradient = cast(gradient, node.dtype);
  if (!region && gradient.shape() != node.shape) gradient = sum_to(gradient, node.shape);
  if (node.is_leaf() && !targets) {
    auto& leaf = static_cast<Leaf&>(node);
    return region ? leaf.accumulate_at(gradient, *region, create_graph) : leaf.accumulate(std::move(gradient), create_graph);
  }
  Tensor& sum = node.is_leaf() ? targets->at(&node) : node.pending;  // another thread may be reading a leaf: what arrives is kept with the targets
  sum = joined(std::move(sum), std::move(gradient), node, region, create_graph);
  if (!node.is_leaf()) running->push(node);
}

Tensor initial_gradient(const Tensor& output, const Tensor& gradient) {
  require(output.defined() && output.requires_grad(),
          "backward: the tensor is not on the tape: nothing that it was computed from requires a gradient "
          "(call requires_grad_() on the leaves), or it was computed under NoGrad");
  if (gradient.defined()) {
    require(gradient.shape() == output.shape(), "backward: the gradient has shape ", gradient.shape(), ", the tensor ", output.shape());
    return gradient;
  }
  require(output.numel() == 1, "backward: the tensor has shape ", output.shape(),
          "; reduce it to one element, as with sum(), or pass a gradient of that shape");
  return ones(output.shape(), output.dtype());
}

void run(std::span<const Tensor> outputs, std::span<const Tensor> gradients, const GradOptions& options, Targets* targets) {
  require(gradients.empty() || gradients.size() == outputs.size(), "backward: ", outputs.size(), " tensors and ", gradients.size(), " gradients");
  const bool retain = options.retain_graph || options.create_graph;
  const EnableGrad mode(options.create_graph);
  Queue queue;
  struct Restore {  // a rule may itself run backward, as checkpointing does
    Queue* before;
    ~Restore() { running = before; }
  } restore{std::exchange(running, &queue)};

  for (size_t i = 0; i < outputs.size(); ++i) {
    Tensor seed = initial_gradient(outputs[i], gradients.empty() ? Tensor{} : gradients[i]);
    Node& node = *node_of(outputs[i]);
    if (!node.is_leaf() || !targets || targets->contains(&node)) deliver(node, std::move(seed), nullptr, options.create_graph, targets);
  }
  while (Node* node = queue.pop()) {
    const Tensor gradient = std::exchange(node->pending, {});
    if (targets)
      if (const auto found = targets->find(node); found != targets->end()) found->second = gradient;
    require(!node->freed, node->op, ": backward runs a second time through a graph that has been freed; pass retain_graph to the first run");
    Gradients parts(*node, options.create_graph, targets);
    node->run_rule(gradient, parts);
    if (!retain) {
      node->free_saved();
      node->freed = true;
    }
  }
}

}  // namespace

bool Gradients::wanted(size_t i) const {
  const Node* input = node_.inputs()[i].get();
  if (!input) return false;
  const auto* targets = static_cast<const Targets*>(targets_);
  return !targets || !input->is_leaf() || targets->contains(input);
}

Tensor Gradients::place(size_t i) const {
  Node& input = *node_.inputs()[i];
  if (input.is_leaf() && !targets_ && !create_graph_) {
    const auto& leaf = static_cast<const Leaf&>(input);
    if (leaf.window.defined() && !leaf.gradient.defined()) return leaf.window;
  }
  return Tensor::empty(input.shape, input.dtype);
}

void Gradients::add(size_t i, Tensor gradient) {
  if (wanted(i)) deliver(*node_.inputs()[i], std::move(gradient), nullptr, create_graph_, static_cast<Targets*>(const_cast<void*>(targets_)));
}

void Gradients::add_at(size_t i, Tensor gradient, const Region& region) {
  if (wanted(i)) deliver(*node_.inputs()[i], std::move(gradient), &region, create_graph_, static_cast<Targets*>(const_cast<void*>(targets_)));
}

}  // namespace autograd

void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients, const GradOptions& options) {
  autograd::run(outputs, gradients, options, nullptr);
}

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, const GradOptions& options,
                         std::span<const Tensor> gradients) {
  autograd::Targets targets;
  for (const Tensor& input : inputs) {
    require(input.requires_grad(), "grad: an input does not require a gradient; call requires_grad_() on it before it is used");
    targets.emplace(autograd::node_of(input), Tensor{});
  }
  autograd::run(outputs, gradients, options, &targets);
  std::vector<Tensor> results;
  for (const Tensor& input : inputs) {
    results.push_back(targets.at(autograd::node_of(input)));
    require(results.back().defined() || options.allow_unused, "grad: the outputs don't depend on input ", results.size() - 1,
            "; set allow_unused for an undefined tensor in its place");
  }
  return results;
}

Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options, const Tensor& gradient) {
  const Tensor given[] = {gradient};
  return grad(std::span(&output, 1), std::span(&input, 1), options, gradient.defined() ? std::span<const Tensor>(given) : std::span<const Tensor>{})
      .front();
}

}  // namespace scry
