#include "nn/pytorch_cases.hpp"

namespace scry::nn::test {

std::vector<Case> model_cases() {
  return {
      layer("lenet", [] { return LeNet(); }),
      layer("mlp",
            [] {
              return mlp({20, 30, 10});
            }),
      layer("small_cnn_eval", [] { return SmallCnn(); }),
      layer("resnet8", [] { return CifarResNet(8); }),
      layer("resnet20_eval", [] { return resnet20(); }),
      layer("resnet20_padding_eval", [] { return resnet20({.shortcut = Shortcut::padding}); }),
      layer("resnet_eval",
            [] {
              return ResNet({.classes = 5, .blocks = {2, 1, 1, 1}});
            }),
      layer("resnet_bottleneck_eval",
            [] {
              return ResNet({.classes = 5, .blocks = {2, 1, 1, 1}, .bottleneck = true});
            }),
      layer("vgg11_eval", [] { return Vgg11({.classes = 5, .hidden = 16}); }),
      layer("mobilenet_v2_eval", [] { return MobileNetV2({.classes = 5, .width = 0.35}); }),
      layer("char_lstm", [] { return CharLstm({.vocabulary = 11, .embedding = 6, .units = 7, .layers = 2}); }),
      layer("gpt", [] { return Gpt({.vocabulary = 11, .context = 9, .width = 8, .heads = 2, .layers = 2}); }),
      layer("gpt2",
            [] {
              return Gpt({.vocabulary = 11,
                          .context = 9,
                          .width = 8,
                          .heads = 2,
                          .layers = 2,
                          .activation = FeedForward::gelu,
                          .norm_first = true,
                          .tied_head = true});
            }),
      layer("vision_transformer",
            [] { return VisionTransformer({.image_size = 8, .patch_size = 4, .classes = 5, .width = 8, .layers = 2, .heads = 2, .mlp_width = 12}); }),
  };
}

}  // namespace scry::nn::test
