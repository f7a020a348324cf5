#include <scry/autograd/hook.hpp>
#include <atomic>

namespace scry {
namespace autograd {

Tensor Attachments::after_hooks(const Node& node, Tensor g) const {
  const std::vector<NumberedHook> now = hooks;  // one may remove itself
  for (const NumberedHook& each : now) {
    Tensor other = each.hook(g);
    if (!other.defined()) continue;
    require(other.shape() == node.shape && other.dtype() == node.dtype, "hook: it returned a gradient of shape ", other.shape(), " and type ",
            other.dtype(), " for the result of ", node.op, " of shape ", node.shape, " and type ", node.dtype);
    g = std::move(other);
  }
  return g;
}

}  // namespace autograd

void TensorHook::remove() {
  if (node_ && node_->attachments()) std::erase_if(node_->attachments()->hooks, [&](const auto& each) { return each.number == number_; });
  node_ = nullptr;
}

TensorHook register_gradient_hook(const Tensor& x, autograd::GradientHook hook) {
  static std::atomic<uint64_t> next{0};
  require(x.defined() && x.requires_grad(), "register_hook: the tensor requires no gradient, so none would come; call requires_grad_() on it first");
  require(static_cast<bool>(hook), "register_hook: there is no function to call");
  const Ref<autograd::Node> node(autograd::node_of(x));
  const uint64_t number = ++next;
  node->make_attachments().hooks.push_back({number, std::move(hook)});
  return {node, number};
}

}  // namespace scry
