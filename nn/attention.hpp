#pragma once

#include <scry/nn/linear.hpp>

namespace scry::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< of weights, in training
  bool bias = true;
  int64_t kdim = 0, vdim = 0;  ///< the sizes of keys and values; 0 for that of queries
  bool batch_first = false;    ///< tensors are [B, L, E] instead of [L, B, E]
  DType dtype = f32;
};

/// What of the keys may be seen, as PyTorch: true, or -infinity, hides. Numbers are added to the scores.
struct MultiheadMasks {
  Tensor key_padding_mask = {};  ///< [B, S], or [S] without a batch
  Tensor attn_mask = {};         ///< [L, S] or [B heads, L, S]
  bool is_causal = false;        ///< query i sees keys 0 to i only
};

/// Attention of several heads side by side (Vaswani et al. 2017): queries [L, B, E], keys [S, B, kdim], values [S, B, vdim] -> [L, B, E], or without
/// B. Parameters: in_proj_weight [3 E, E] and in_proj_bias [3 E] (or q_proj_weight, k_proj_weight and v_proj_weight, where the sizes differ),
/// out_proj. Initialisation: Xavier uniform, biases 0, as PyTorch.
struct MultiheadAttention : Module<MultiheadAttention> {
  MultiheadAttention(int64_t embed_dim, int64_t num_heads, const MultiheadAttentionOptions& options = {});
  Tensor forward(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadMasks& masks = {}) const;
  using Module::operator();
  /// As the call of any module, with masks in braces: `attention(x, x, x, {.is_causal = true})`.
  Tensor operator()(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadMasks& masks) const {
    return Module::operator()(query, key, value, masks);
  }
  std::string describe() const { return text("nn.MultiheadAttention ", width, ", ", heads, " heads"); }

  int64_t width, heads;
  MultiheadAttentionOptions options;
  Tensor in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias;
  Linear out_proj;

 private:
  Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadMasks& masks) const;
};

}  // namespace scry::nn
