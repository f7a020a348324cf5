#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/softmax.hpp>

namespace scry {

using autograd::output;
using autograd::record;
using autograd::wrt;

namespace {

Tensor softmax_rule(const Tensor& g, const Tensor& y, int axis) {
  if (!grad_enabled()) return kernels::softmax_gradient(g, y, axis);
  return y * (g - sum(g * y, axis, true));
}

Tensor log_softmax_rule(const Tensor& g, const Tensor& y, int axis) {
  if (!grad_enabled()) return kernels::log_softmax_gradient(g, y, axis);
  return g - exp(y) * sum(g, axis, true);
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  autograd::require_floating("softmax", x);
  const int at = wrap_axis("softmax", axis, x.rank());
  return record("softmax", kernels::softmax(x, at), wrt(x, softmax_rule, output, at));
}

Tensor log_softmax(const Tensor& x, int axis) {
  autograd::require_floating("log_softmax", x);
  const int at = wrap_axis("log_softmax", axis, x.rank());
  return record("log_softmax", kernels::log_softmax(x, at), wrt(x, log_softmax_rule, output, at));
}

namespace {

void check_labels(const Tensor& logits, const Tensor& labels) {
  autograd::require_floating("cross_entropy", logits);
  autograd::require_rank("cross_entropy", "logits", logits, 2);
  require(labels.defined() && labels.dtype() == i64 && labels.shape() == Shape{logits.size(0)}, "cross_entropy: expected i64 labels of shape [",
          logits.size(0), "] for logits of shape ", logits.shape(), ", got ", labels.defined() ? labels.dtype() : i64, " of shape ",
          labels.defined() ? labels.shape() : Shape{});
  const auto* label = static_cast<const int64_t*>(labels.raw());
  const int64_t classes = logits.size(1), step = labels.strides()[0];
  for (int64_t i = 0; i < labels.numel(); ++i)
    require(label[i * step] >= 0 && label[i * step] < classes, "cross_entropy: label ", label[i * step], " at position ", i, " is not one of ",
            classes, " classes");
}

Tensor one_hot_like(const Tensor& logits, const Tensor& labels) {
  Tensor out = zeros(logits.shape(), logits.dtype());
  dispatch_floating("cross_entropy", logits.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < labels.numel(); ++i)
      static_cast<T*>(out.raw())[i * logits.size(1) + static_cast<const int64_t*>(labels.raw())[i * labels.strides()[0]]] = T{1};
  });
  return out;
}

Tensor cross_entropy_rule(const Tensor& g, const Tensor& logits, const Tensor& labels, const Tensor& log_sum_exp) {
  if (grad_enabled()) return unsqueeze(g, 1) * (softmax(logits, 1) - one_hot_like(logits, labels));
  return kernels::cross_entropy_gradient(g, logits, labels, log_sum_exp);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  check_labels(logits, labels);
  const kernels::RowLosses rows = kernels::cross_entropy(logits, labels);
  return mean(record("cross_entropy", rows.losses, wrt(logits, cross_entropy_rule, logits, labels, rows.log_sum_exp)));
}

}  // namespace scry
