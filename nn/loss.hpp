#pragma once

#include <scry/autograd/ops/loss.hpp>
#include <scry/nn/module.hpp>

// The losses of torch.nn as modules: each calls the function beside its name with the options it was made with. Weights in options are buffers.
namespace scry::nn {

template <class Self, auto function, class Options>
struct Loss : Module<Self> {
  explicit Loss(const Options& given = {}) : options(given) {
    if constexpr (requires { given.weight; })
      if (given.weight.defined()) this->buffer("weight", given.weight);
    if constexpr (requires { given.pos_weight; })
      if (given.pos_weight.defined()) this->buffer("pos_weight", given.pos_weight);
  }
  /// As many tensors as the function takes.
  template <class... Tensors>
  Tensor forward(const Tensors&... x) const {
    return function(x..., options);
  }

  Options options;
};

struct MSELoss : Loss<MSELoss, mse_loss, LossOptions> {
  using Loss::Loss;
};
struct L1Loss : Loss<L1Loss, l1_loss, LossOptions> {
  using Loss::Loss;
};
struct SmoothL1Loss : Loss<SmoothL1Loss, smooth_l1_loss, SmoothL1Options> {
  using Loss::Loss;
};
struct HuberLoss : Loss<HuberLoss, huber_loss, HuberOptions> {
  using Loss::Loss;
};
struct BCELoss : Loss<BCELoss, binary_cross_entropy, BinaryCrossEntropyOptions> {
  using Loss::Loss;
};
struct BCEWithLogitsLoss : Loss<BCEWithLogitsLoss, binary_cross_entropy_with_logits, LogitsCrossEntropyOptions> {
  using Loss::Loss;
};
struct SigmoidFocalLoss : Loss<SigmoidFocalLoss, sigmoid_focal_loss, FocalOptions> {
  using Loss::Loss;
};
struct KLDivLoss : Loss<KLDivLoss, kl_div, KlDivOptions> {
  using Loss::Loss;
};
struct GaussianNLLLoss : Loss<GaussianNLLLoss, gaussian_nll_loss, GaussianNllOptions> {
  using Loss::Loss;
};
struct PoissonNLLLoss : Loss<PoissonNLLLoss, poisson_nll_loss, PoissonNllOptions> {
  using Loss::Loss;
};
struct HingeEmbeddingLoss : Loss<HingeEmbeddingLoss, hinge_embedding_loss, MarginOptions> {
  using Loss::Loss;
};
struct MarginRankingLoss : Loss<MarginRankingLoss, margin_ranking_loss, RankingOptions> {
  using Loss::Loss;
};
struct CosineEmbeddingLoss : Loss<CosineEmbeddingLoss, cosine_embedding_loss, RankingOptions> {
  using Loss::Loss;
};
struct SoftMarginLoss : Loss<SoftMarginLoss, soft_margin_loss, LossOptions> {
  using Loss::Loss;
};
struct MultiLabelSoftMarginLoss : Loss<MultiLabelSoftMarginLoss, multilabel_soft_margin_loss, BinaryCrossEntropyOptions> {
  using Loss::Loss;
};
struct MultiMarginLoss : Loss<MultiMarginLoss, multi_margin_loss, MultiMarginOptions> {
  using Loss::Loss;
};
struct TripletMarginLoss : Loss<TripletMarginLoss, triplet_margin_loss, TripletOptions> {
  using Loss::Loss;
};
struct NLLLoss : Loss<NLLLoss, nll_loss, NllOptions> {
  using Loss::Loss;
};
struct CrossEntropyLoss : Loss<CrossEntropyLoss, cross_entropy, CrossEntropyOptions> {
  using Loss::Loss;
};

}  // namespace scry::nn
