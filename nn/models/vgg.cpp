#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/nn/batch_norm.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/models/initial.hpp>
#include <scry/nn/models/vgg.hpp>
#include <scry/nn/pool.hpp>

namespace scry::nn {
namespace {

Sequential convolutions(int64_t channels) {
  constexpr int64_t pooling = 0;
  Sequential net;
  for (const int64_t width : {64l, pooling, 128l, pooling, 256l, 256l, pooling, 512l, 512l, pooling, 512l, 512l, pooling}) {
    if (width == pooling) {
      net.push_back(MaxPool2d{2});
      continue;
    }
    net.push_back(Conv2d{channels, width, {.kernel = 3, .padding = 1}});
    net.push_back(BatchNorm2d{width});
    net.push_back(relu);
    channels = width;
  }
  return net;
}

}  // namespace

Vgg11::Vgg11(const VggOptions& options)
    : features(add("features", convolutions(options.channels))),
      classifier(
          add("classifier", Sequential{Linear{512 * 7 * 7, options.hidden}, relu, Dropout{options.dropout}, Linear{options.hidden, options.hidden},
                                       relu, Dropout{options.dropout}, Linear{options.hidden, options.classes}})) {
  init_convolutional(*this, 0.01);
}

Tensor Vgg11::forward(const Tensor& x) const { return classifier(flatten(adaptive_avg_pool2d(features(x), 7), 1)); }

}  // namespace scry::nn
