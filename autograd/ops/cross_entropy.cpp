#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/reduction.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/cross_entropy.hpp>
#include <algorithm>

namespace scry {
namespace autograd {

Tensor checked_labels(std::string_view op, const Tensor& labels, int64_t classes, int64_t ignore_index) {
  Tensor out = kernels::contiguous(reshape(labels, {-1}));
  const auto* label = static_cast<const int64_t*>(out.raw());
  bool ignored = false;
  for (int64_t i = 0; i < out.numel(); ++i) {
    ignored |= label[i] == ignore_index;
    require((label[i] >= 0 && label[i] < classes) || label[i] == ignore_index, op, ": label ", label[i], " at position ", i, " is not one of ",
            classes, " classes");
  }
  return ignored ? where(eq(out, static_cast<double>(ignore_index)), full({}, -1, i64), out) : out;
}

}  // namespace autograd

namespace {

using autograd::record;
using autograd::reduced;
using autograd::wrt;

// The axis of the classes, once logits, labels and weight are known to fit.
int class_axis(std::string_view op, const Tensor& x, const Tensor& labels, const Tensor& weight) {
  autograd::require_floating(op, x);
  autograd::require_defined(op, labels);
  require(x.rank() >= 1, op, ": expected a shape [C], [N, C] or [N, C, d1, …], got ", x.shape());
  const int axis = x.rank() == 1 ? 0 : 1;
  if (labels.dtype() == i64) {
    Shape expected = x.shape();
    expected.erase(axis);
    require(labels.shape() == expected, op, ": expected i64 labels of shape ", expected, " for an input of shape ", x.shape(), ", got ",
            labels.shape());
  } else {
    require(labels.shape() == x.shape() && labels.dtype() == x.dtype(), op, ": expected i64 labels, or probabilities of ", x.dtype(), " and shape ",
            x.shape(), "; got ", labels.dtype(), " of shape ", labels.shape());
  }
  if (weight.defined())
    require(weight.shape() == Shape{x.size(axis)} && weight.dtype() == x.dtype(), op, ": expected a weight of ", x.dtype(), " and shape [",
            x.size(axis), "], got ", weight.dtype(), " of shape ", weight.shape());
  return axis;
}

// The factor of each label's loss, 0 where it is ignored.
Tensor label_weights(const Tensor& labels, const Tensor& weight, DType dtype) {
  const Tensor ignored = lt(labels, 0);
  const Tensor factors = weight.defined() ? index_select(weight.detach(), where(ignored, 0, labels), 0) : ones(labels.shape(), dtype);
  return masked_fill(factors, ignored, 0);
}

// The sum of those.
double total_weight(const Tensor& labels, const Tensor& weight) {
  if (weight.defined()) return sum(label_weights(labels, weight, f64)).item();
  const auto* label = static_cast<const int64_t*>(labels.raw());
  return static_cast<double>(std::count_if(label, label + labels.numel(), [](int64_t l) { return l >= 0; }));
}

// What every row of logits is compared with, as a matrix.
Tensor target_matrix(const Tensor& labels, const Tensor& weight, double smoothing, const Tensor& logits) {
  const Tensor ignored = lt(labels, 0);
  const auto classes = logits.size(1);
  Tensor target = one_hot(where(ignored, 0, labels), classes, logits.dtype()) * (1 - smoothing) + smoothing / static_cast<double>(classes);
  if (weight.defined()) target = target * weight;
  return masked_fill(target, unsqueeze(ignored, 1), 0);
}

Tensor cross_entropy_rule(const Tensor& g, const Tensor& logits, const Tensor& labels, const Tensor& weight, const Tensor& log_sum_exp,
                          double smoothing, double scale) {
  const Tensor rows = expand(scale == 1 ? g : g * scale, labels.shape());
  if (!grad_enabled()) return kernels::cross_entropy_gradient(rows, logits, {labels, weight, smoothing}, log_sum_exp);
  const Tensor target = target_matrix(labels, weight, smoothing, logits);
  return unsqueeze(rows, 1) * (sum(target, 1, true) * softmax(logits, 1) - target);
}

Tensor label_cross_entropy(const Tensor& logits, const Tensor& target, int axis, const CrossEntropyOptions& options) {
  const int64_t classes = logits.size(axis);
  const Tensor labels = autograd::checked_labels("cross_entropy", target, classes, options.ignore_index), weight = options.weight;
  const Tensor rows = logits.rank() == 2 ? logits : reshape(movedim(logits, axis, -1), {labels.numel(), classes});
  const kernels::RowLosses row = kernels::cross_entropy(rows, {labels, weight, options.label_smoothing});
  double scale = 1;
  if (options.reduction == Reduction::mean) scale = 1 / total_weight(labels, weight);
  if (options.reduction == Reduction::batch_mean) scale = 1 / static_cast<double>(target.rank() ? target.size(0) : 1);
  Tensor losses = row.losses;
  if (options.reduction != Reduction::none) losses = scale == 1 ? sum(losses) : sum(losses) * scale;
  losses = record("cross_entropy")(losses, wrt(rows, cross_entropy_rule, rows, labels, weight, row.log_sum_exp, options.label_smoothing, scale));
  return options.reduction == Reduction::none ? reshape(losses, target.shape()) : losses;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const int axis = class_axis("cross_entropy", logits, target, options.weight);
  const double smoothing = options.label_smoothing;
  require(smoothing >= 0 && smoothing <= 1, "cross_entropy: expected a label smoothing from 0 to 1, got ", smoothing);
  if (target.dtype() == i64) return label_cross_entropy(logits, target, axis, options);
  Tensor wanted = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / static_cast<double>(logits.size(axis));
  if (options.weight.defined()) {
    Shape shape = Shape::filled(logits.rank(), 1);
    shape[axis] = logits.size(axis);
    wanted = wanted * reshape(options.weight.detach(), shape);
  }
  return reduced(-sum(wanted * log_softmax(logits, axis), axis), options.reduction);
}

Tensor nll_loss(const Tensor& x, const Tensor& target, const NllOptions& options) {
  require(target.defined() && target.dtype() == i64, "nll_loss: expected i64 labels");
  const int axis = class_axis("nll_loss", x, target, options.weight);
  const Tensor labels = reshape(autograd::checked_labels("nll_loss", target, x.size(axis), options.ignore_index), target.shape());
  const Tensor flat = reshape(labels, {-1}), weights = label_weights(flat, options.weight, x.dtype()), ignored = lt(labels, 0);
  const Tensor taken = squeeze(gather(x, unsqueeze(where(ignored, 0, labels), axis), axis), axis);
  const Tensor losses = masked_fill(taken * reshape(-weights, labels.shape()), ignored, 0);
  return options.reduction == Reduction::mean ? sum(losses) / sum(weights) : reduced(losses, options.reduction);
}

}  // namespace scry
