#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/nn/transformer.hpp>

namespace scry::nn {

TransformerEncoderLayer::TransformerEncoderLayer(int64_t d_model, int64_t nhead, const TransformerOptions& given)
    : options(given),
      self_attn(add("self_attn",
                    MultiheadAttention{
                        d_model, nhead, {.dropout = given.dropout, .bias = given.bias, .batch_first = given.batch_first, .dtype = given.dtype}})),
      linear1(add("linear1", Linear{d_model, given.dim_feedforward, {given.bias, given.dtype}})),
      dropout(add("dropout", Dropout{given.dropout})),
      linear2(add("linear2", Linear{given.dim_feedforward, d_model, {given.bias, given.dtype}})),
      norm1(add("norm1", LayerNorm{d_model, {.eps = given.layer_norm_eps, .bias = given.bias, .dtype = given.dtype}})),
      norm2(add("norm2", LayerNorm{d_model, {.eps = given.layer_norm_eps, .bias = given.bias, .dtype = given.dtype}})),
      dropout1(add("dropout1", Dropout{given.dropout})),
      dropout2(add("dropout2", Dropout{given.dropout})) {}

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) const {
  return dropout2(linear2(dropout(options.activation == FeedForward::relu ? relu(linear1(x)) : gelu(linear1(x)))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& x, const TransformerMasks& masks) const {
  const auto attend = [&](const Tensor& h) {
    return dropout1(self_attn(h, h, h, MultiheadMasks{masks.src_key_padding_mask, masks.mask, masks.is_causal}));
  };
  if (options.norm_first) {
    const Tensor h = x + attend(norm1(x));
    return h + feed_forward(norm2(h));
  }
  const Tensor h = norm1(x + attend(x));
  return norm2(h + feed_forward(h));
}

TransformerEncoder::TransformerEncoder(int64_t num_layers, int64_t d_model, int64_t nhead, const TransformerOptions& options, bool final_norm)
    : layers(add("layers", ModuleList<TransformerEncoderLayer>{})) {
  require(num_layers >= 1, "nn.TransformerEncoder: expected at least one layer, got ", num_layers);
  for (int64_t i = 0; i < num_layers; ++i) layers.push_back(TransformerEncoderLayer{d_model, nhead, options});
  if (final_norm) norm.emplace(add("norm", LayerNorm{d_model, {.eps = options.layer_norm_eps, .bias = options.bias, .dtype = options.dtype}}));
}

Tensor TransformerEncoder::forward(const Tensor& x, const TransformerMasks& masks) const {
  Tensor h = x;
  for (const TransformerEncoderLayer& layer : layers) h = layer(h, masks);
  return norm ? (*norm)(h) : h;
}

}  // namespace scry::nn
