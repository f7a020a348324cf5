// Views on the tape: the gradient of a part is added into its place in the gradient of the whole, so that many small parts of a large tensor
// cost no more than what they hold.

#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/arithmetic.hpp>

namespace scry::autograd {
namespace {

class ViewNode final : public Node {
 public:
  ViewNode(const char* name, const Tensor& y, const Tensor& x, const Region& region) : Node(name, y), input_(node_of(x)), region_(region) {
    set_inputs(&input_, 1);
  }
  void run_rule(const Tensor& g, Gradients& gradients) override { gradients.add_at(0, g, region_); }
  void free_saved() override {}

 private:
  Ref<Node> input_;
  Region region_;
};

bool held_once(const Tensor& x) { return x.node().unique() && x.node().storage->unique() && x.is_contiguous(); }

}  // namespace

Tensor record_view(const char* op, const Tensor& x, const Region& region) {
  Tensor y = region.of(x);
  if (grad_enabled() && x.requires_grad()) detail::attach(y, new ViewNode(op, y, x, region));
  return y;
}

Tensor add_at(Tensor whole, const Tensor& part, const Region& region) {
  if (!held_once(whole)) whole = contiguous(clone(whole));
  kernels::add_into(region.of(whole), part);
  if (!grad_enabled() || !(whole.requires_grad() || part.requires_grad())) return whole;
  // The sum takes over the memory: nobody else can have seen it.
  const auto take = [](const Tensor& g, const Region& from) { return record_view("slice", g, from); };
  return record("add_at")(whole.detach(), wrt(whole, [](const Tensor& g) { return g; }), wrt(part, take, region));
}

}  // namespace scry::autograd
