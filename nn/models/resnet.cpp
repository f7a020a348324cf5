#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/nn/models/initial.hpp>
#include <scry/nn/models/resnet.hpp>

namespace scry::nn {
namespace {

// The stage of `width` channels, which are 64 times a power of two.
Sequential stage(int64_t width, int64_t blocks, bool bottleneck) {
  const int64_t before = width == 64 ? 64 : width / 2 * (bottleneck ? Bottleneck::expansion : 1);
  const BlockOptions options{.stride = width == 64 ? 1 : 2};
  return bottleneck ? residual_stage<Bottleneck>(before, width, blocks, options) : residual_stage<BasicBlock>(before, width, blocks, options);
}

}  // namespace

ResNet::ResNet(const ResNetOptions& options)
    : conv1(add("conv1", Conv2d{options.channels, 64, {.kernel = 7, .stride = 2, .padding = 3, .bias = false}})),
      layer1(add("layer1", stage(64, options.blocks[0], options.bottleneck))),
      layer2(add("layer2", stage(128, options.blocks[1], options.bottleneck))),
      layer3(add("layer3", stage(256, options.blocks[2], options.bottleneck))),
      layer4(add("layer4", stage(512, options.blocks[3], options.bottleneck))),
      fc(add("fc", Linear{512 * (options.bottleneck ? Bottleneck::expansion : 1), options.classes})) {
  init_convolutional(*this);
}

Tensor ResNet::forward(const Tensor& x) const {
  Tensor h = max_pool2d(relu(bn1(conv1(x))), 3, {.stride = 2, .padding = 1});
  for (const Sequential* layer : {&layer1, &layer2, &layer3, &layer4}) h = (*layer)(h);
  return fc(mean(h, {2, 3}));
}

}  // namespace scry::nn
