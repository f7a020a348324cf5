#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/nn/models/initial.hpp>
#include <scry/nn/models/resnet_cifar.hpp>

namespace scry::nn {
namespace {

Sequential stage(int64_t in, int64_t width, int64_t depth, int64_t stride, Shortcut shortcut) {
  return residual_stage<BasicBlock>(in, width, (depth - 2) / 6, {.stride = stride, .shortcut = shortcut, .shortcut_name = "shortcut"});
}

}  // namespace

CifarResNet::CifarResNet(int64_t depth, const CifarResNetOptions& options)
    : conv1(add("conv1", Conv2d{options.channels, 16, {.kernel = 3, .padding = 1, .bias = false}})),
      bn1(add("bn1", BatchNorm2d{16})),
      layer1(add("layer1", stage(16, 16, depth, 1, options.shortcut))),
      layer2(add("layer2", stage(16, 32, depth, 2, options.shortcut))),
      layer3(add("layer3", stage(32, 64, depth, 2, options.shortcut))),
      fc(add("fc", Linear{64, options.classes})) {
  require(depth >= 8 && depth % 6 == 2, "nn.CifarResNet: expected a depth of 6 n + 2, such as 20, 32, 44 or 56, got ", depth);
  init_convolutional(*this);
}

Tensor CifarResNet::forward(const Tensor& x) const {
  Tensor h = relu(bn1(conv1(x)));
  for (const Sequential* layer : {&layer1, &layer2, &layer3}) h = (*layer)(h);
  return fc(mean(h, {2, 3}));
}

}  // namespace scry::nn
