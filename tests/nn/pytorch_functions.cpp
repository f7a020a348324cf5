#include "nn/pytorch_cases.hpp"

namespace scry::nn::test {
namespace {

using In = const Tensors&;

std::vector<Case> activations() {
  std::vector<Case> out;
  using Activation = Tensor (*)(const Tensor&);
  const std::pair<const char*, Activation> plain[] = {{"relu", [](const Tensor& x) { return relu(x); }},
                                                      {"sigmoid", sigmoid},
                                                      {"tanh", tanh},
                                                      {"selu", selu},
                                                      {"silu", silu},
                                                      {"mish", mish},
                                                      {"softsign", softsign},
                                                      {"tanhshrink", tanhshrink},
                                                      {"logsigmoid", logsigmoid},
                                                      {"relu6", [](const Tensor& x) { return relu6(x); }},
                                                      {"hardsigmoid", hardsigmoid},
                                                      {"hardswish", hardswish}};
  for (const auto& [name, compute] : plain) out.push_back(function(name, [compute = compute](In x) { return compute(x[0]); }));
  for (const Case& c : {
           function("leaky_relu", [](In x) { return leaky_relu(x[0]); }),
           function("elu", [](In x) { return elu(x[0]); }),
           function("celu", [](In x) { return celu(x[0]); }),
           function("gelu", [](In x) { return gelu(x[0]); }),
           function("softplus", [](In x) { return softplus(x[0]); }),
           function("hardtanh", [](In x) { return hardtanh(x[0]); }),
           function("hardshrink", [](In x) { return hardshrink(x[0]); }),
           function("softshrink", [](In x) { return softshrink(x[0]); }),
           function("glu", [](In x) { return glu(x[0]); }),
           function("leaky_relu_slope", [](In x) { return leaky_relu(x[0], 0.3); }),
           function("elu_alpha", [](In x) { return elu(x[0], 0.7); }),
           function("celu_alpha", [](In x) { return celu(x[0], 0.5); }),
           function("gelu_tanh", [](In x) { return gelu(x[0], Gelu::tanh); }),
           function("softplus_beta", [](In x) { return softplus(x[0], 2, 1); }),
           function("threshold", [](In x) { return threshold(x[0], 0.2, -1); }),
           function("prelu", [](In x) { return prelu(x[0], x[1]); }),
           function("softmax", [](In x) { return softmax(x[0], 1); }),
           function("log_softmax", [](In x) { return log_softmax(x[0], -1); }),
       })
    out.push_back(c);
  return out;
}

std::vector<Case> losses() {
  return {
      function("mse_loss", [](In x) { return mse_loss(x[0], x[1]); }),
      function("mse_loss_sum", [](In x) { return mse_loss(x[0], x[1], {Reduction::sum}); }),
      function("l1_loss", [](In x) { return l1_loss(x[0], x[1], {Reduction::none}); }),
      function("smooth_l1_loss", [](In x) { return smooth_l1_loss(x[0], x[1], {.beta = 0.5}); }),
      function("huber_loss", [](In x) { return huber_loss(x[0], x[1], {.delta = 0.7}); }),
      function("binary_cross_entropy", [](In x) { return binary_cross_entropy(x[0], x[1]); }),
      function("bce_with_logits", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1], {.weight = x[2], .pos_weight = x[3]}); }),
      function("kl_div", [](In x) { return kl_div(x[0], x[1], {.reduction = Reduction::batch_mean}); }),
      function("kl_div_log_target", [](In x) { return kl_div(x[0], x[1], {.log_target = true, .reduction = Reduction::sum}); }),
      function("gaussian_nll_loss", [](In x) { return gaussian_nll_loss(x[0], x[1], x[2], {.full = true}); }),
      function("poisson_nll_loss", [](In x) { return poisson_nll_loss(x[0], x[1], {.full = true}); }),
      function("sigmoid_focal_loss", [](In x) { return sigmoid_focal_loss(x[0], x[1]); }),
      function("hinge_embedding_loss", [](In x) { return hinge_embedding_loss(x[0], x[1]); }),
      function("margin_ranking_loss", [](In x) { return margin_ranking_loss(x[0], x[1], x[2], {.margin = 0.5}); }),
      function("cosine_embedding_loss", [](In x) { return cosine_embedding_loss(x[0], x[1], x[2], {.margin = 0.1}); }),
      function("soft_margin_loss", [](In x) { return soft_margin_loss(x[0], x[1]); }),
      function("multilabel_soft_margin_loss", [](In x) { return multilabel_soft_margin_loss(x[0], x[1]); }),
      function("multi_margin_loss", [](In x) { return multi_margin_loss(x[0], x[1], {.p = 2}); }),
      function("triplet_margin_loss", [](In x) { return triplet_margin_loss(x[0], x[1], x[2], {.margin = 0.5, .swap = true}); }),
      function("nll_loss", [](In x) { return nll_loss(x[0], x[1], {.weight = x[2]}); }),
      function("cross_entropy", [](In x) { return cross_entropy(x[0], x[1]); }),
      function("cross_entropy_ignored", [](In x) { return cross_entropy(x[0], x[1], {.weight = x[2], .ignore_index = 3, .label_smoothing = 0.1}); }),
      function("cross_entropy_soft", [](In x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.2}); }),
      function("cross_entropy_pixels", [](In x) { return cross_entropy(x[0], x[1], {.reduction = Reduction::none}); }),
  };
}

std::vector<Case> positions() {
  return {
      function("sinusoidal_encoding", [](In x) { return SinusoidalEncoding(9, 6, x[0].dtype())(x[0]); }),
      function("rotary_encoding", [](In x) { return RotaryEncoding(9, 6, 10000, x[0].dtype())(x[0]); }),
  };
}

}  // namespace

std::vector<Case> function_cases() {
  std::vector<Case> all = activations();
  for (const Case& c : losses()) all.push_back(c);
  for (const Case& c : positions()) all.push_back(c);
  return all;
}

}  // namespace scry::nn::test
