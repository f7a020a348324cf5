#pragma once

#include <scry/nn/attention.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/module_list.hpp>
#include <scry/nn/norm.hpp>

namespace scry::nn {

enum class FeedForward : uint8_t { relu, gelu };

struct TransformerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  FeedForward activation = FeedForward::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  ///< tensors are [B, L, E] instead of [L, B, E]
  bool norm_first = false;   ///< normalise before attention and feed-forward instead of after the sums (Xiong et al. 2020)
  bool bias = true;
  DType dtype = f32;
};

/// What positions may see: see MultiheadMasks.
struct TransformerMasks {
  Tensor mask = {};                  ///< [L, L] or [B heads, L, L]
  Tensor src_key_padding_mask = {};  ///< [B, L]
  bool is_causal = false;
};

/// Self-attention, then linear2(dropout(activation(linear1(x)))), each added to what it was given (Vaswani et al. 2017). [L, B, E] -> [L, B, E].
/// Parts and parameters are named as PyTorch's: self_attn, linear1, linear2, norm1, norm2.
struct TransformerEncoderLayer : Module<TransformerEncoderLayer> {
  TransformerEncoderLayer(int64_t d_model, int64_t nhead, const TransformerOptions& options = {});
  Tensor forward(const Tensor& x, const TransformerMasks& masks = {}) const;
  using Module::operator();
  Tensor operator()(const Tensor& x, const TransformerMasks& masks) const { return Module::operator()(x, masks); }
  std::string describe() const { return text("nn.TransformerEncoderLayer ", self_attn.width, ", ", self_attn.heads, " heads"); }

  TransformerOptions options;
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;

 private:
  Tensor feed_forward(const Tensor& x) const;
};

/// Layers one after the other, then a norm if `final_norm`. Parts: layers.0, layers.1, …, norm.
struct TransformerEncoder : Module<TransformerEncoder> {
  TransformerEncoder(int64_t num_layers, int64_t d_model, int64_t nhead, const TransformerOptions& options = {}, bool final_norm = false);
  Tensor forward(const Tensor& x, const TransformerMasks& masks = {}) const;
  using Module::operator();
  Tensor operator()(const Tensor& x, const TransformerMasks& masks) const { return Module::operator()(x, masks); }
  std::string describe() const { return text("nn.TransformerEncoder of ", layers.size(), " layers"); }

  ModuleList<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};

}  // namespace scry::nn
