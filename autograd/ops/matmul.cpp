#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/matmul.hpp>
#include <scry/core/kernels/reduce.hpp>

namespace scry {

using autograd::Gradients;
using autograd::record;
using autograd::require_floating;
using autograd::wrt;

namespace {

// g yᵀ and xᵀ g; without views where nobody records them.
Tensor times_transposed(const Tensor& g, const Tensor& y) {
  return grad_enabled() ? matmul(g, transpose(y, -1, -2)) : kernels::matmul(g, y, {.b = true});
}
Tensor transposed_times(const Tensor& g, const Tensor& x) {
  return grad_enabled() ? matmul(transpose(x, -1, -2), g) : kernels::matmul(x, g, {.a = true});
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  require_floating("matmul", a);
  require_floating("matmul", b);
  autograd::require_same_dtype("matmul", a, b);
  require(a.rank() >= 1 && b.rank() >= 1, "matmul: expected at least one axis each, got shapes ", a.shape(), " and ", b.shape());
  if (a.rank() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.rank() == 1 ? 0 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  require(a.size(-1) == b.size(-2), "matmul: the last axis of ", a.shape(), " must have the size of the last but one of ", b.shape());
  if (a.rank() > 2 && b.rank() == 2) {  // one product for all leading axes
    Shape shape = a.shape();
    shape[shape.rank() - 1] = b.size(1);
    return reshape(matmul(flatten(a, 0, -2), b), shape);
  }
  return record("matmul")(kernels::matmul(a, b), wrt(a, times_transposed, b), wrt(b, transposed_times, a));
}

namespace {

void linear_rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight) {
  if (gradients.wanted(0)) gradients.add(0, matmul(g, weight));
  if (gradients.wanted(1)) {
    if (grad_enabled()) {
      gradients.add(1, matmul(transpose(g, 0, 1), x));
    } else {
      const Tensor place = gradients.place(1);
      kernels::matmul_into(place, g, x, {.a = true});
      gradients.add(1, place);
    }
  }
  if (gradients.wanted(2)) gradients.add(2, sum(g, 0));
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require_floating("linear", x);
  autograd::require_rank("linear", "weight", weight, 2);
  autograd::require_same_dtype("linear", x, weight);
  require(x.rank() >= 1 && x.size(-1) == weight.size(1), "linear: expected ", weight.size(1), " features in the last axis of the input, got shape ",
          x.shape(), "; weight has shape ", weight.shape());
  if (bias.defined()) {
    autograd::require_same_dtype("linear", x, bias);
    require(bias.shape() == Shape{weight.size(0)}, "linear: expected a bias of shape [", weight.size(0), "], got ", bias.shape());
  }
  // Rows are taken in the order in which they lie: batches of sequences that have been transposed needn't be copied.
  if (x.rank() == 3 && x.strides()[0] < x.strides()[1]) return transpose(linear(transpose(x, 0, 1), weight, bias), 0, 1);
  if (x.rank() != 2) {
    Shape shape = x.shape();
    shape[shape.rank() - 1] = weight.size(0);
    return reshape(linear(reshape(x, {-1, weight.size(1)}), weight, bias), shape);
  }
  return autograd::record("linear").joint(kernels::linear(x, weight, bias), {x, weight, bias}, linear_rule, x, weight);
}

}  // namespace scry
