#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/sort.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/order.hpp>

namespace scry {

namespace {

ValuesAndIndices ordered(std::string_view op, const Tensor& input, int axis, int64_t count, bool descending) {
  const Tensor x = input.rank() ? input : unsqueeze(input, 0);
  const int at = wrap_axis(op, axis, x.rank());
  require(count >= 0 && count <= x.shape()[at], op, ": ", count, " elements of axis ", axis, " of shape ", input.shape());
  const Tensor lines = movedim(x, at, -1), indices = kernels::order(lines, count, descending);
  const auto back = [&](const Tensor& y) { return input.rank() ? movedim(y, -1, at) : squeeze(y, 0); };
  return {back(gather(lines, indices, -1)), back(indices)};
}

int64_t whole_axis(std::string_view op, const Tensor& x, int axis) {
  autograd::require_defined(op, x);
  return x.rank() ? x.shape()[wrap_axis(op, axis, x.rank())] : 1;
}

}  // namespace

ValuesAndIndices sort(const Tensor& x, int axis, bool descending) { return ordered("sort", x, axis, whole_axis("sort", x, axis), descending); }

Tensor argsort(const Tensor& x, int axis, bool descending) {
  const NoGrad guard;
  return ordered("argsort", x, axis, whole_axis("argsort", x, axis), descending).indices;
}

ValuesAndIndices topk(const Tensor& x, int64_t k, int axis, bool largest) {
  autograd::require_defined("topk", x);
  return ordered("topk", x, axis, k, largest);
}

}  // namespace scry
