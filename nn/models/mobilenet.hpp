#pragma once

#include <scry/nn/sequential.hpp>

namespace scry::nn {

struct MobileNetV2Options {
  int64_t channels = 3;
  int64_t classes = 1000;
  double width = 1;  ///< multiplies all numbers of channels, which are then rounded to multiples of 8
  double dropout = 0.2;
};

/// Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2: blocks that widen by a 1 x 1
/// convolution, filter every channel by itself, and narrow again without an activation. x: [N, channels, H, W] -> [N, classes]; the last
/// blocks see a 32nd of the image's width. Parameters are named as in torchvision: 3,504,872 for the defaults.
struct MobileNetV2 : Module<MobileNetV2> {
  explicit MobileNetV2(const MobileNetV2Options& options = {});
  Tensor forward(const Tensor& x) const;

  Sequential features, classifier;
};

}  // namespace scry::nn
