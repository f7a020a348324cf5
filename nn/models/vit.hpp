#pragma once

#include <scry/nn/attention.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/norm.hpp>
#include <scry/nn/sequential.hpp>

namespace scry::nn {

struct VisionTransformerOptions {
  int64_t image_size = 224;
  int64_t patch_size = 16;
  int64_t channels = 3;
  int64_t classes = 1000;
  int64_t width = 192;
  int64_t layers = 12;
  int64_t heads = 3;
  int64_t mlp_width = 768;
  double dropout = 0;
};

/// One layer: x + attention(norm(x)), then x + mlp(norm(x)). [N, L, width] -> the same.
struct VisionTransformerBlock : Module<VisionTransformerBlock> {
  explicit VisionTransformerBlock(const VisionTransformerOptions& options);
  Tensor forward(const Tensor& x) const;
  std::string describe() const { return text("nn.VisionTransformerBlock ", self_attention.width, ", ", self_attention.heads, " heads"); }

  LayerNorm ln_1;
  MultiheadAttention self_attention;
  Dropout dropout;
  LayerNorm ln_2;
  Sequential mlp;
};

/// Cuts images into patches and reads them as a sequence: Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021. The defaults are the smallest
/// one in use, ViT-Ti/16 (Touvron et al. 2021), 5,717,416 parameters; with width 768, 12 heads and mlp_width 3072 it is the paper's ViT-B/16,
/// 86,567,656. For small images see {.image_size = 32, .patch_size = 4}. x: [N, channels, image_size, image_size] -> [N, classes]. Parameters are
/// named as in torchvision. Weights are normal at first with a deviation of 0.02, biases 0.
struct VisionTransformer : Module<VisionTransformer> {
  explicit VisionTransformer(const VisionTransformerOptions& options = {});
  Tensor forward(const Tensor& x) const;

  VisionTransformerOptions options;
  Tensor class_token;  ///< what the classes are read from, after all layers
  Conv2d conv_proj;
  Tensor pos_embedding;
  Dropout dropout;
  std::vector<VisionTransformerBlock> layers;
  LayerNorm ln;
  Linear head;

 private:
  // Only a name that others are under.
  struct Prefix : Module<Prefix> {
    using ModuleBase::add, ModuleBase::parameter;
    std::string describe() const { return "parts"; }
  };
  VisionTransformer(const VisionTransformerOptions& options, const Prefix& encoder);
};

}  // namespace scry::nn
