// Views on the tape: the gradient of a part is added into its place in the gradient of the whole, so that many small parts of a large tensor
// cost no more than what they hold.

#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/run.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/copy.hpp>
#include <algorithm>

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

void place(const Tensor& whole, const Tensor& part, const Region& region) {
  constexpr int64_t short_run = 16;            // elements that cost less to fill together with their neighbours
  Region rest = Region::whole(whole.shape());  // all that isn't filled yet
  for (int i = 0; i < whole.rank(); ++i) {
    const int8_t along = region.to[static_cast<size_t>(i)];
    const int64_t size = whole.size(i), first = region.start[i], count = along < 0 ? 1 : region.shape[along];
    const bool dense = region.step[i] == 1 && (along < 0 || std::count(region.to.begin(), region.to.begin() + whole.rank(), along) == 1);
    if (dense && count == size) continue;
    if (!dense || whole.strides()[i] < short_run) {
      kernels::fill(rest.of(whole), 0);
      break;
    }
    kernels::fill(Region(rest).take(i, 0, first).of(whole), 0);
    kernels::fill(Region(rest).take(i, first + count, size - first - count).of(whole), 0);
    rest.take(i, first, count);
  }
  kernels::copy_into(region.of(whole), part);
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
