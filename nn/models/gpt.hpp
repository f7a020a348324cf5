#pragma once

#include <scry/nn/embedding.hpp>
#include <scry/nn/position.hpp>
#include <scry/nn/transformer.hpp>

namespace scry::nn {

struct GptOptions {
  int64_t vocabulary = 64;
  int64_t context = 64;  ///< the longest text
  int64_t width = 128;
  int64_t heads = 4;
  int64_t layers = 4;
  double dropout = 0;
  FeedForward activation = FeedForward::relu;
  bool norm_first = false;  ///< and a norm after the last layer, as GPT-2; else as GPT
  bool tied_head = false;   ///< logits come from the table of tokens, as in both papers, instead of a layer of its own
};

/// Predicts the next token at every place of a text from those before it: a transformer decoder without cross-attention. Radford, Narasimhan,
/// Salimans and Sutskever, "Improving Language Understanding by Generative Pre-Training", 2018, and for norm_first Radford et al., "Language Models
/// are Unsupervised Multitask Learners", 2019. Feed-forward layers are four times as wide as the model. Weights are normal at first with a deviation
/// of 0.02, biases 0. Parameters are named as those of a torch.nn.TransformerEncoder called blocks: GPT-2's wte is token.weight, wpe is
/// position.weight, h.0.ln_1 is blocks.layers.0.norm1, h.0.attn.c_attn is blocks.layers.0.self_attn.in_proj_weight (transposed), and so on. 817,728
/// parameters for the defaults; 116,534,784 with GPT's sizes and 124,439,808 with GPT-2's.
struct Gpt : Module<Gpt> {
  explicit Gpt(const GptOptions& options = {});
  /// i64 [N, T] -> logits [N, T, vocabulary], T up to `context`.
  Tensor forward(const Tensor& tokens) const;

  Embedding token;
  LearnedEncoding position;
  Dropout dropout;
  TransformerEncoder blocks;
  std::optional<Linear> head;
};

}  // namespace scry::nn
