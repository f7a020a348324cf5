#pragma once

#include <scry/nn/module.hpp>
#include <scry/nn/sequential.hpp>

namespace scry::nn {

struct VggOptions {
  int64_t channels = 3;
  int64_t classes = 1000;
  int64_t hidden = 4096;  ///< width of the two linear layers before the last
  double dropout = 0.5;
};

/// The 11-layer network A of Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015, with batch
/// normalisation: 3 x 3 convolutions, pooling that halves the image five times, means over 7 x 7 fields, and three linear layers. x: [N, channels, H,
/// W] -> [N, classes]; images of at least 32 x 32. Parameters are named as in torchvision's vgg11_bn: 132,868,840 for the defaults.
struct Vgg11 : Module<Vgg11> {
  explicit Vgg11(const VggOptions& options = {});
  Tensor forward(const Tensor& x) const;

  Sequential features, classifier;
};

}  // namespace scry::nn
