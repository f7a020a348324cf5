#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Losses, with torch.nn.functional's names, formulas and defaults. Predictions x and targets y: f32 or f64, of one type and shape where not said
// otherwise. Gradients flow to both. The formulas are those of one element (or row); `reduction` says what becomes of all of them.

enum class Reduction {
  mean,
  sum,
  none,
  batch_mean,  ///< the sum, divided by the size of the first axis
};

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

/// (x - y)².
Tensor mse_loss(const Tensor& x, const Tensor& y, const LossOptions& options = {});
/// |x - y|.
Tensor l1_loss(const Tensor& x, const Tensor& y, const LossOptions& options = {});

struct SmoothL1Options {
  double beta = 1;  ///< where the parabola ends, at least 0
  Reduction reduction = Reduction::mean;
};
/// With d = |x - y|: d² / (2 beta) where d < beta, else d - beta / 2 (Girshick 2015).
Tensor smooth_l1_loss(const Tensor& x, const Tensor& y, const SmoothL1Options& options = {});

struct HuberOptions {
  double delta = 1;  ///< where the parabola ends, above 0
  Reduction reduction = Reduction::mean;
};
/// With d = |x - y|: d² / 2 where d <= delta, else delta (d - delta / 2) (Huber 1964).
Tensor huber_loss(const Tensor& x, const Tensor& y, const HuberOptions& options = {});

struct BinaryCrossEntropyOptions {
  Tensor weight = {};  ///< factors that broadcast to the losses
  Reduction reduction = Reduction::mean;
};
/// -(y log x + (1 - y) log(1 - x)) for probabilities x in [0, 1]; logarithms are cut at -100.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& y, const BinaryCrossEntropyOptions& options = {});

struct LogitsCrossEntropyOptions {
  Tensor weight = {};
  Tensor pos_weight = {};  ///< factors of the term of y, such as [C] for [N, C]
  Reduction reduction = Reduction::mean;
};
/// The same for x = sigmoid of logits, exact also where that is 0 or 1.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& y, const LogitsCrossEntropyOptions& options = {});

struct FocalOptions {
  double alpha = 0.25;  ///< the factor of the term of y, 1 - alpha that of 1 - y; below 0 for none
  double gamma = 2;
  Reduction reduction = Reduction::none;
};
/// The same times (1 - p)^gamma, where p is the probability given to the truth (Lin et al. 2017; names as in torchvision).
Tensor sigmoid_focal_loss(const Tensor& x, const Tensor& y, const FocalOptions& options = {});

struct KlDivOptions {
  bool log_target = false;  ///< y is the logarithm of a probability too
  Reduction reduction = Reduction::mean;
};
/// y (log y - x) for logarithms x and probabilities y. Reduction::batch_mean gives the divergence of distributions by row.
Tensor kl_div(const Tensor& x, const Tensor& y, const KlDivOptions& options = {});

struct GaussianNllOptions {
  bool full = false;  ///< with the constant log(2π) / 2
  double eps = 1e-6;  ///< smallest variance
  Reduction reduction = Reduction::mean;
};
/// (log v + (x - y)² / v) / 2 for variances v >= 0: of x's shape, or with 1 as the last size, or without the last axis.
Tensor gaussian_nll_loss(const Tensor& x, const Tensor& y, const Tensor& variance, const GaussianNllOptions& options = {});

struct PoissonNllOptions {
  bool log_input = true;  ///< x is the logarithm of the rate
  bool full = false;      ///< with Stirling's approximation of log y! for y > 1
  double eps = 1e-8;      ///< added to a rate before its logarithm
  Reduction reduction = Reduction::mean;
};
/// eˣ - y x, or for rates x - y log(x + eps).
Tensor poisson_nll_loss(const Tensor& x, const Tensor& y, const PoissonNllOptions& options = {});

struct MarginOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
/// For y = 1: x, for y = -1: max(0, margin - x).
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& y, const MarginOptions& options = {});

struct RankingOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};
/// max(0, margin - y (a - b)), y = 1 or -1: which of the two should be greater.
Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& y, const RankingOptions& options = {});
/// For rows a, b [N, D] or [D] and y = 1 or -1, [N] or []: 1 - cos(a, b), or max(0, cos(a, b) - margin).
Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& y, const RankingOptions& options = {});

/// log(1 + e^(-y x)), y = 1 or -1.
Tensor soft_margin_loss(const Tensor& x, const Tensor& y, const LossOptions& options = {});
/// The mean over classes of binary_cross_entropy_with_logits, each with its weight [C]. x, y: [N, C] or [C].
Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& y, const BinaryCrossEntropyOptions& options = {});

struct MultiMarginOptions {
  double p = 1;  ///< 1 or 2
  double margin = 1;
  Tensor weight = {};  ///< [C]
  Reduction reduction = Reduction::mean;
};
/// The sum over classes c other than the label of max(0, margin - x[label] + x[c])^p weight[label] / C. x: [N, C], labels: i64 [N].
Tensor multi_margin_loss(const Tensor& x, const Tensor& labels, const MultiMarginOptions& options = {});

struct TripletOptions {
  double margin = 1;
  double p = 2;  ///< of the norm
  double eps = 1e-6;
  bool swap = false;  ///< take the lesser of d(anchor, negative) and d(positive, negative) (Balntas et al. 2016)
  Reduction reduction = Reduction::mean;
};
/// max(0, d(anchor, positive) - d(anchor, negative) + margin) with d(a, b) = |a - b + eps|ₚ over the last axis.
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const TripletOptions& options = {});

struct NllOptions {
  Tensor weight = {};           ///< a factor for each class [C], of x's type
  int64_t ignore_index = -100;  ///< targets that count for nothing
  Reduction reduction = Reduction::mean;
};
/// -weight[y] x[y] for logarithms of probabilities x: [C], [N, C] or [N, C, d1, …] and labels y: i64 [], [N] or [N, d1, …] in [0, C). The mean is
/// weighted: the sum over that of the weights.
Tensor nll_loss(const Tensor& x, const Tensor& labels, const NllOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight = {};
  int64_t ignore_index = -100;
  double label_smoothing = 0;  ///< the share of the target that is spread evenly over all classes (Szegedy et al. 2016)
  Reduction reduction = Reduction::mean;
};
/// The same for x = log_softmax(logits, 1), in one node, exact for large logits. Or for targets that are probabilities, of the logits' shape and
/// type: -sum of weight y x over the classes, its mean over all else.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

}  // namespace scry
