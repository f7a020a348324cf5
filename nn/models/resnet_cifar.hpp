#pragma once

#include <scry/nn/linear.hpp>
#include <scry/nn/models/residual.hpp>

namespace scry::nn {

struct CifarResNetOptions {
  int64_t channels = 3;
  int64_t classes = 10;
  Shortcut shortcut = Shortcut::projection;
};

/// A residual network for images of 32 x 32, as small as it is deep: He, Zhang, Ren and Sun 2016, section 4.2. `depth` is 6 n + 2: a 3 x 3
/// convolution, three stages of n blocks of 16, 32 and 64 channels on 32, 16 and 8 pixels, the mean over the pixels and a linear layer. x: [N,
/// channels, H, W] -> [N, classes]. Parameters are named as in torchvision's ResNet, projections "shortcut". The paper's shortcut is
/// Shortcut::padding, with 269,722 parameters for 20 layers, 464,154 for 32, and 853,018 for 56; the usual one has 2,752 more.
struct CifarResNet : Module<CifarResNet> {
  explicit CifarResNet(int64_t depth, const CifarResNetOptions& options = {});
  Tensor forward(const Tensor& x) const;

  Conv2d conv1;
  BatchNorm2d bn1;
  Sequential layer1, layer2, layer3;
  Linear fc;
};

inline CifarResNet resnet20(const CifarResNetOptions& options = {}) { return CifarResNet{20, options}; }
inline CifarResNet resnet32(const CifarResNetOptions& options = {}) { return CifarResNet{32, options}; }
inline CifarResNet resnet56(const CifarResNetOptions& options = {}) { return CifarResNet{56, options}; }

}  // namespace scry::nn
