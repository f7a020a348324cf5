#include "nn/pytorch_cases.hpp"

namespace scry::nn::testing {

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
  };
}

}  // namespace scry::nn::testing
