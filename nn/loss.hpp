#pragma once

#include <scry/autograd/ops/loss.hpp>
#include <scry/nn/module.hpp>
#include <scry/nn/name.hpp>

// The losses of torch.nn as modules: each calls the function beside its name with the options it was made with. Weights in options are buffers.
namespace scry::nn {

template <Name name, auto function, class Options>
struct Loss : Module<Loss<name, function, Options>> {
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
  std::string describe() const { return text("nn.", name.view()); }

  Options options;
};

using MSELoss = Loss<"MSELoss", mse_loss, LossOptions>;
using L1Loss = Loss<"L1Loss", l1_loss, LossOptions>;
using SmoothL1Loss = Loss<"SmoothL1Loss", smooth_l1_loss, SmoothL1Options>;
using HuberLoss = Loss<"HuberLoss", huber_loss, HuberOptions>;
using BCELoss = Loss<"BCELoss", binary_cross_entropy, BinaryCrossEntropyOptions>;
using BCEWithLogitsLoss = Loss<"BCEWithLogitsLoss", binary_cross_entropy_with_logits, LogitsCrossEntropyOptions>;
using SigmoidFocalLoss = Loss<"SigmoidFocalLoss", sigmoid_focal_loss, FocalOptions>;
using KLDivLoss = Loss<"KLDivLoss", kl_div, KlDivOptions>;
using GaussianNLLLoss = Loss<"GaussianNLLLoss", gaussian_nll_loss, GaussianNllOptions>;
using PoissonNLLLoss = Loss<"PoissonNLLLoss", poisson_nll_loss, PoissonNllOptions>;
using HingeEmbeddingLoss = Loss<"HingeEmbeddingLoss", hinge_embedding_loss, MarginOptions>;
using MarginRankingLoss = Loss<"MarginRankingLoss", margin_ranking_loss, RankingOptions>;
using CosineEmbeddingLoss = Loss<"CosineEmbeddingLoss", cosine_embedding_loss, RankingOptions>;
using SoftMarginLoss = Loss<"SoftMarginLoss", soft_margin_loss, LossOptions>;
using MultiLabelSoftMarginLoss = Loss<"MultiLabelSoftMarginLoss", multilabel_soft_margin_loss, BinaryCrossEntropyOptions>;
using MultiMarginLoss = Loss<"MultiMarginLoss", multi_margin_loss, MultiMarginOptions>;
using TripletMarginLoss = Loss<"TripletMarginLoss", triplet_margin_loss, TripletOptions>;
using NLLLoss = Loss<"NLLLoss", nll_loss, NllOptions>;
using CrossEntropyLoss = Loss<"CrossEntropyLoss", cross_entropy, CrossEntropyOptions>;

}  // namespace scry::nn
