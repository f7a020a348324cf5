#pragma once

#include <scry/nn/linear.hpp>
#include <scry/nn/models/residual.hpp>
#include <array>

namespace scry::nn {

struct ResNetOptions {
  int64_t channels = 3;
  int64_t classes = 1000;
  std::array<int64_t, 4> blocks = {2, 2, 2, 2};  ///< in each stage
  bool bottleneck = false;                       ///< Bottleneck instead of BasicBlock, four times as many channels after each stage
};

/// A residual network for images of about 224 x 224: He, Zhang, Ren and Sun 2016, table 1. Stages of 64, 128, 256 and 512 channels see a 4th to a
/// 32nd of the image's width. x: [N, channels, H, W] -> [N, classes]. Parameters are named as in torchvision.
struct ResNet : Module<ResNet> {
  explicit ResNet(const ResNetOptions& options = {});
  Tensor forward(const Tensor& x) const;

  Conv2d conv1;
  BatchNorm2d bn1 = add("bn1", BatchNorm2d{64});
  Sequential layer1, layer2, layer3, layer4;
  Linear fc;
};

/// 11,689,512 parameters for three channels and 1000 classes.
inline ResNet resnet18(int64_t classes = 1000) { return ResNet{{.classes = classes}}; }
/// 25,557,032 parameters for three channels and 1000 classes.
inline ResNet resnet50(int64_t classes = 1000) { return ResNet{{.classes = classes, .blocks = {3, 4, 6, 3}, .bottleneck = true}}; }

}  // namespace scry::nn
