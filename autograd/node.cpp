#include <scry/autograd/hook.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/run.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/memory.hpp>

namespace scry::autograd {
namespace {

constinit thread_local uint64_t last_order = 0;

}  // namespace

void* Node::operator new(size_t bytes) { return memory::allocate(bytes); }
void Node::operator delete(void* memory, size_t bytes) noexcept { memory::deallocate(memory, bytes); }

Attachments& Node::make_attachments() {
  if (!attachments_) attachments_ = new Attachments;
  return *attachments_;
}

void Node::drop_attachments() { delete attachments_; }

// A node owns its inputs' nodes, so a deep graph would be freed by deep recursion; nodes that lose their last owner meanwhile wait in line.
void Node::dispose() {
  thread_local Node* line = nullptr;
  thread_local bool busy = false;
  next_in_line_ = std::exchange(line, this);
  if (busy) return;
  busy = true;
  while (Node* node = line) {
    line = node->next_in_line_;
    delete node;
  }
  busy = false;
}

void Node::set_inputs(const Ref<Node>* inputs, size_t count) {
  inputs_ = inputs;
  input_count_ = count;
  // Orders rise within a thread, and above the inputs' even if another thread made those.
  for (const Ref<Node>& input : this->inputs())
    if (input) last_order = std::max(last_order, input->order);
  order = ++last_order;
}

void Leaf::accumulate(Tensor g, bool create_graph) {
  if (create_graph) {
    gradient = gradient.defined() ? add(gradient, g) : g;
  } else if (gradient.defined()) {
    kernels::add_into(gradient, g);
    gradient.node().storage->bump_version();
  } else if (window.defined()) {
    const bool there = g.node().storage->data() == window.node().storage->data();
    if (!there) kernels::copy_into(window, g);
    window.node().storage->bump_version();
    gradient = window;
  } else {
    const bool alone = g.node().unique() && g.node().storage->unique() && g.is_contiguous();
    gradient = alone ? std::move(g) : kernels::dense_copy(g);
  }
}

void Leaf::accumulate_at(const Tensor& g, const Region& region, bool create_graph) {
  if (create_graph) {
    gradient = add_at(gradient.defined() ? std::move(gradient) : zeros(shape, dtype), g, region);
    return;
  }
  if (gradient.defined()) {
    kernels::add_into(region.of(gradient), g);
  } else {
    gradient = window.defined() ? window : Tensor::empty(shape, dtype);
    place(gradient, g, region);
  }
  gradient.node().storage->bump_version();
}

}  // namespace scry::autograd
