// The members of Tensor that need the tape.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/hook.hpp>
#include <scry/autograd/node.hpp>
#include <scry/autograd/ops/view.hpp>

namespace scry {

Tensor Tensor::requires_grad_(bool on) const {
  require(!requires_grad() || autograd::leaf_of(*this), "requires_grad_: this tensor was computed; call detach() on it first");
  if (!on) {
    node().tape = nullptr;
  } else if (!requires_grad()) {
    require(is_floating(dtype()), "requires_grad_: only f32 and f64 have gradients, this tensor is ", dtype());
    node().tape = Ref<TapeNode>::adopt(new autograd::Leaf(*this));
  }
  return *this;
}

void Tensor::retain_grad() const {
  require(requires_grad(), "retain_grad: the tensor is not on the tape, so no gradient would come");
  if (!autograd::leaf_of(*this)) autograd::node_of(*this)->make_attachments().retain = true;
}

Tensor Tensor::grad() const {
  if (const autograd::Leaf* leaf = autograd::leaf_of(*this)) return leaf->gradient;
  const autograd::Attachments* attached = requires_grad() ? autograd::node_of(*this)->attachments() : nullptr;
  return attached ? attached->gradient : Tensor{};
}

Tensor Tensor::operator[](int64_t index) const { return select(*this, 0, index); }

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  scry::backward(std::span(this, 1), std::span(&gradient, 1), {.create_graph = create_graph, .retain_graph = retain_graph});
}

}  // namespace scry
