#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/creation.hpp>
#include <scry/nn/activation.hpp>
#include <scry/nn/models/initial.hpp>
#include <scry/nn/models/vit.hpp>

namespace scry::nn {
namespace {

constexpr double eps = 1e-6;  // of all norms

int64_t patches_of(const VisionTransformerOptions& o) {
  require(o.patch_size >= 1 && o.image_size >= 1 && o.image_size % o.patch_size == 0, "nn.VisionTransformer: images of ", o.image_size,
          " can't be cut into patches of ", o.patch_size);
  return (o.image_size / o.patch_size) * (o.image_size / o.patch_size);
}

}  // namespace

VisionTransformerBlock::VisionTransformerBlock(const VisionTransformerOptions& o)
    : ln_1(add("ln_1", LayerNorm{o.width, {.eps = eps}})),
      self_attention(add("self_attention", MultiheadAttention{o.width, o.heads, {.dropout = o.dropout, .batch_first = true}})),
      dropout(add("dropout", Dropout{o.dropout})),
      ln_2(add("ln_2", LayerNorm{o.width, {.eps = eps}})),
      mlp(add("mlp", Sequential{Linear{o.width, o.mlp_width}, GELU{}, Dropout{o.dropout}, Linear{o.mlp_width, o.width}, Dropout{o.dropout}})) {}

Tensor VisionTransformerBlock::forward(const Tensor& x) const {
  const Tensor seen = ln_1(x), y = x + dropout(self_attention(seen, seen, seen));
  return y + mlp(ln_2(y));
}

VisionTransformer::VisionTransformer(const VisionTransformerOptions& o) : VisionTransformer(o, Prefix{}) {}

VisionTransformer::VisionTransformer(const VisionTransformerOptions& o, const Prefix& encoder)
    : options(o),
      class_token(parameter("class_token", zeros({1, 1, o.width}))),
      conv_proj(add("conv_proj", Conv2d{o.channels, o.width, {.kernel = o.patch_size, .stride = o.patch_size}})),
      pos_embedding(encoder.parameter("pos_embedding", zeros({1, patches_of(o) + 1, o.width}))),
      dropout(encoder.add("dropout", Dropout{o.dropout})),
      ln(encoder.add("ln", LayerNorm{o.width, {.eps = eps}})),
      head(Linear{o.width, o.classes}) {
  add("encoder", encoder);
  const Prefix blocks = encoder.add("layers", Prefix{});
  for (int64_t i = 0; i < o.layers; ++i) layers.push_back(blocks.add(text("encoder_layer_", i), VisionTransformerBlock{o}));
  add("heads", Prefix{}).add("head", head);
  init_transformer(*this);
}

Tensor VisionTransformer::forward(const Tensor& x) const {
  require(x.defined() && x.rank() == 4 && x.size(2) == options.image_size && x.size(3) == options.image_size, "expected images of ",
          options.image_size, " x ", options.image_size, " in [N, C, H, W], got input of shape ", x.shape());
  const Tensor patches = transpose(flatten(conv_proj(x), 2), 1, 2);
  Tensor h = cat({expand(class_token, {x.size(0), 1, options.width}), patches}, 1);
  h = dropout(h + pos_embedding);
  for (const VisionTransformerBlock& block : layers) h = block(h);
  return head(select(ln(h), 1, 0));
}

}  // namespace scry::nn
