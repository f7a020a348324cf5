#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/reduction.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>

namespace scry {
namespace {

using autograd::reduced;
using autograd::require_same_shape;

void require_signs(std::string_view op, const Tensor& y) {
  require(all(logical_or(eq(y, 1), eq(y, -1))).item<bool>(), op, ": the targets must be 1 or -1");
}

// |a - b + eps|ₚ over the last axis, as torch.nn.functional.pairwise_distance.
Tensor distance(const Tensor& a, const Tensor& b, const TripletOptions& options) { return norm(a - b + options.eps, options.p, -1); }

}  // namespace

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& y, const MarginOptions& options) {
  require_same_shape("hinge_embedding_loss", x, y);
  require_signs("hinge_embedding_loss", y);
  return reduced(where(gt(y, 0), x, relu(options.margin - x)), options.reduction);
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& y, const RankingOptions& options) {
  require_same_shape("margin_ranking_loss", a, b);
  require_same_shape("margin_ranking_loss", a, y);
  require_signs("margin_ranking_loss", y);
  return reduced(relu(options.margin - y * (a - b)), options.reduction);
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& y, const RankingOptions& options) {
  constexpr const char* op = "cosine_embedding_loss";
  require_same_shape(op, a, b);
  require(a.rank() == 1 || a.rank() == 2, op, ": expected rows of shape [N, D] or [D], got ", a.shape());
  autograd::require_defined(op, y);
  const Shape expected = a.rank() == 2 ? Shape{a.size(0)} : Shape{};
  require(y.shape() == expected, op, ": expected targets of shape ", expected, " for rows of shape ", a.shape(), ", got ", y.shape());
  require_signs(op, y);
  constexpr double eps = 1e-12;
  const Tensor cosine = sum(a * b, -1) / sqrt((sum(square(a), -1) + eps) * (sum(square(b), -1) + eps));
  return reduced(where(gt(y, 0), 1 - cosine, relu(cosine - options.margin)), options.reduction);
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& y, const LossOptions& options) {
  require_same_shape("soft_margin_loss", x, y);
  require_signs("soft_margin_loss", y);
  return reduced(-logsigmoid(y * x), options.reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& y, const BinaryCrossEntropyOptions& options) {
  constexpr const char* op = "multilabel_soft_margin_loss";
  require_same_shape(op, x, y);
  require(x.rank() == 1 || x.rank() == 2, op, ": expected a shape [N, C] or [C], got ", x.shape());
  return reduced(mean(binary_cross_entropy_with_logits(x, y, {.weight = options.weight, .reduction = Reduction::none}), -1), options.reduction);
}

Tensor multi_margin_loss(const Tensor& x, const Tensor& labels, const MultiMarginOptions& options) {
  constexpr const char* op = "multi_margin_loss";
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, 2);
  require(options.p == 1 || options.p == 2, op, ": p must be 1 or 2, got ", options.p);
  require(labels.defined(), op, ": the labels are undefined");
  require(labels.dtype() == i64 && labels.shape() == Shape{x.size(0)}, op, ": expected i64 labels of shape [", x.size(0), "], got ", labels.dtype(),
          " of shape ", labels.shape());
  const int64_t classes = x.size(1);
  const Tensor at = unsqueeze(autograd::checked_labels(op, labels, classes, -1), 1);
  require(all(ge(at, 0)).item<bool>(), op, ": labels must be at least 0");
  Tensor losses = relu(options.margin - gather(x, at, 1) + x);
  if (options.p == 2) losses = square(losses);
  losses = masked_fill(losses, one_hot(labels, classes, boolean), 0);
  if (options.weight.defined()) {
    require(options.weight.shape() == Shape{classes} && options.weight.dtype() == x.dtype(), op, ": expected a weight of ", x.dtype(), " and shape [",
            classes, "], got ", options.weight.dtype(), " of shape ", options.weight.shape());
    losses = losses * unsqueeze(index_select(options.weight, labels, 0), 1);
  }
  return reduced(mean(losses, 1), options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const TripletOptions& options) {
  constexpr const char* op = "triplet_margin_loss";
  require_same_shape(op, anchor, positive);
  require_same_shape(op, anchor, negative);
  require(anchor.rank() >= 1, op, ": expected shapes [..., D], got ", anchor.shape());
  Tensor far = distance(anchor, negative, options);
  if (options.swap) far = minimum(far, distance(positive, negative, options));
  return reduced(relu(distance(anchor, positive, options) - far + options.margin), options.reduction);
}

}  // namespace scry
