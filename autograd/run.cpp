#include <scry/autograd/hook.hpp>
#include <scry/autograd/observer.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/run.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/memory.hpp>
#include <algorithm>
#include <atomic>

namespace scry::autograd {
namespace {

// The memory of this thread's last run, for the next.
template <class T>
std::vector<T>& spare() {
  thread_local std::vector<T> memory;
  return memory;
}

// sum + gradient, over the memory of one of them where nobody else needs it.
Tensor joined(Tensor sum, Tensor gradient, const Node& node, const Region* region, bool create_graph) {
  if (region && !sum.defined() && !create_graph) {
    sum = Tensor::empty(node.shape, node.dtype);
    place(sum, gradient, *region);
    return sum;
  }
  if (region) return add_at(sum.defined() ? std::move(sum) : zeros(node.shape, node.dtype), gradient, *region);
  if (!sum.defined()) return gradient;
  return add(std::move(sum), std::move(gradient));
}

uint64_t next_number() {
  static std::atomic<uint64_t> number{0};
  return number.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Queue::Queue() { heap_.swap(spare<Entry>()); }

Queue::~Queue() {
  for (const auto& [order, node] : heap_) {  // only after an error is anything left
    node->pending = {};
    node->queued = false;
  }
  heap_.clear();
  heap_.swap(spare<Entry>());
}

void Queue::push(Node& node) {
  if (node.queued) return;
  node.queued = true;
  heap_.push_back({node.order, &node});
  std::push_heap(heap_.begin(), heap_.end());
}

Node* Queue::pop() {
  if (heap_.empty()) return nullptr;
  std::pop_heap(heap_.begin(), heap_.end());
  Node* node = heap_.back().node;
  heap_.pop_back();
  node->queued = false;
  return node;
}

Collected::Entry* Collected::find(const Node& node) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), &node, [](const Entry& entry, const Node* n) { return entry.node < n; });
  return at != entries_.end() && at->node == &node ? &*at : nullptr;
}

Collected::Entry& Collected::make(Node& node) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), &node, [](const Entry& entry, const Node* n) { return entry.node < n; });
  return at != entries_.end() && at->node == &node ? *at : *entries_.insert(at, {&node, {}});
}

Run::Run(const GradOptions& options, std::span<const Tensor> inputs, bool only_inputs)
    : create_graph_(options.create_graph),
      retain_(options.retain_graph || options.create_graph),
      only_inputs_(only_inputs),
      number_(only_inputs ? next_number() : 0) {
  for (const Tensor& input : inputs) collected_.make(*node_of(input));
}

// Whether gradients that reach this node are of use.
bool Run::wants(const Node& node) {
  if (!only_inputs_) return true;
  return node.is_leaf ? collected_.find(node) != nullptr : node.visit == number_ && node.leads_to_input;
}

bool Run::wants_input_of(const Node& node) {
  if (node.reaches_unseen_leaves) return true;
  for (const Ref<Node>& input : node.inputs())
    if (input && wants(*input)) return true;
  return false;
}

// Looks for inputs of grad() below a node, each node once, in depth first: what has been seen of a node when its turn comes again is complete.
void Run::find_ways_to_inputs(Node& root) {
  struct Step {
    Node* node;
    size_t next;
  };
  std::vector<Step> path;
  path.swap(spare<Step>());
  const auto enter = [&](Node& node) {
    node.visit = number_;
    node.leads_to_input = node.reaches_unseen_leaves || collected_.find(node);
    path.push_back({&node, 0});
  };
  if (!root.is_leaf && root.visit != number_) enter(root);
  while (!path.empty()) {
    auto& [node, next] = path.back();
    if (next == node->inputs().size()) {
      path.pop_back();
    } else if (Node* input = node->inputs()[next].get(); input && !input->is_leaf && input->visit != number_) {
      enter(*input);
    } else {
      if (input && wants(*input)) node->leads_to_input = true;
      ++next;
    }
  }
  path.swap(spare<Step>());
}

// With a region the gradient is that of this part of the node's tensor.
void Run::deliver(Node& node, Tensor gradient, const Region* region) {
  if (gradient.dtype() != node.dtype) gradient = cast(gradient, node.dtype);
  if (!region && gradient.shape() != node.shape) gradient = sum_to(gradient, node.shape);
  if (node.is_leaf && !only_inputs_ && !node.attachments()) {
    auto& leaf = static_cast<Leaf&>(node);
    return region ? leaf.accumulate_at(gradient, *region, create_graph_) : leaf.accumulate(std::move(gradient), create_graph_);
  }
  Tensor& sum = node.is_leaf ? collected_.make(node).sum : node.pending;
  sum = joined(std::move(sum), std::move(gradient), node, region, create_graph_);
  if (!node.is_leaf) queue_.push(node);
}

void Run::start_from(const Tensor& y, Tensor gradient) {
  Node& node = *node_of(y);
  if (only_inputs_) find_ways_to_inputs(node);
  if (wants(node)) deliver(node, std::move(gradient), nullptr);
}

void Run::visit(Node& node) {
  Tensor gradient = std::exchange(node.pending, {});
  if (Attachments* attached = node.attachments()) {
    gradient = attached->after_hooks(node, std::move(gradient));
    if (attached->retain && !only_inputs_) attached->gradient = attached->gradient.defined() ? add(attached->gradient, gradient) : gradient;
  }
  if (only_inputs_)
    if (Collected::Entry* entry = collected_.find(node)) entry->sum = gradient;
  if (!wants_input_of(node)) return;
  require(!node.freed, node.op, ": backward runs a second time through a graph that has been freed; pass retain_graph to the first run");
  Gradients parts(node, *this);
  {
    const detail::RuleAnnouncement announcement(node);
    const memory::Requester requester(node.op);
    node.run_rule(gradient, parts);
  }
  if (retain_) return;
  node.free_saved();
  node.freed = true;
}

// The leaves whose gradients are known as a whole only now.
void Run::finish() {
  for (auto& [node, sum] : collected_.entries()) {
    if (!node->is_leaf || !sum.defined()) continue;
    if (const Attachments* attached = node->attachments()) sum = attached->after_hooks(*node, std::move(sum));
    if (!only_inputs_) static_cast<Leaf*>(node)->accumulate(std::move(sum), create_graph_);
  }
}

void Run::go(std::span<const Tensor> outputs, std::span<const Tensor> gradients) {
  const EnableGrad mode(create_graph_);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool given = !gradients.empty() && gradients[i].defined();
    start_from(outputs[i], given ? gradients[i] : ones(outputs[i].shape(), outputs[i].dtype()));
  }
  while (Node* node = queue_.pop()) visit(*node);
  finish();
}

bool Gradients::wanted(size_t i) const {
  const Node* input = node_.inputs()[i].get();
  return input && run_.wants(*input);
}

bool Gradients::last() const { return !run_.retain_; }

Tensor Gradients::place(size_t i) const {
  const Node& input = *node_.inputs()[i];
  if (input.is_leaf && !run_.only_inputs_ && !run_.create_graph_ && !input.attachments()) {
    const auto& leaf = static_cast<const Leaf&>(input);
    if (leaf.window.defined() && !leaf.gradient.defined()) return leaf.window;
  }
  return Tensor::empty(input.shape, input.dtype);
}

Tensor Gradients::take_sum(size_t i) {
  Node& input = *node_.inputs()[i];
  return run_.create_graph_ || detail::observers ? Tensor() : std::exchange(input.pending, {});
}

void Gradients::deliver(size_t i, Tensor gradient, const Region* region) {
  if (!gradient.defined() || !wanted(i)) return;
  Node& input = *node_.inputs()[i];
  if (detail::observers) [[unlikely]]
    detail::announce_passed_on(node_, input, gradient);
  run_.deliver(input, std::move(gradient), region);
}

void Gradients::add(size_t i, Tensor gradient) { deliver(i, std::move(gradient), nullptr); }
void Gradients::add_at(size_t i, Tensor gradient, const Region& region) { deliver(i, std::move(gradient), &region); }

void Gradients::go_on_from(const Tensor& y, Tensor gradient) {
  if (!y.requires_grad()) return;
  run_.recomputed_.push_back(y);
  run_.start_from(y, std::move(gradient));
}

}  // namespace scry::autograd
