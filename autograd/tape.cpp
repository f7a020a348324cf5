#include <scry/autograd/tape.hpp>

namespace scry::autograd::detail {

constinit thread_local bool grad_mode = true;

void attach(const Tensor& y, Node* node) {
  Ref<TapeNode> owner = Ref<TapeNode>::adopt(node);
  require(!y.requires_grad(), node->op, ": the result is on the tape already; record a new tensor, or detach() it");
  y.node().tape = std::move(owner);
}

void saved_value_changed(const char* op) {
  fail(op, ": a tensor that the gradient needs has been changed in place since; clone it before changing it, or call backward first");
}

void Maker::rely_on(Node* node) {
  if (node->freed) return;
  ++node->relying;
  node_ = Ref<Node>(node);
}

void Maker::let_go() const {
  if (--node_->relying == 0 && node_->freed) node_->free_saved();
}

Tensor Saved<Output>::get(Node& node) const {
  if (value.node().storage->version() != version) saved_value_changed(node.op);
  if (!grad_enabled()) return value;
  Tensor y = value.detach();
  y.node().tape = Ref<TapeNode>(&node);
  return y;
}

}  // namespace scry::autograd::detail
