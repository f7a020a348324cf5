#pragma once

#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/nn/batch_norm.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/pool.hpp>

namespace scry::nn {

/// A small convolutional network: three 3 x 3 convolutions with batch normalisation, each followed by pooling that halves the image, and two linear
/// layers with dropout. x: [N, channels, height, width] -> [N, classes]; images are at least 8 x 8.
struct SmallCnn : Module<SmallCnn> {
  explicit SmallCnn(int64_t channels = 1, int64_t classes = 10, int64_t height = 28, int64_t width = 28)
      : conv1(add("conv1", Conv2d{channels, 32, {.kernel = 3, .padding = 1, .bias = false}})),
        fc1(add("fc1", Linear{64 * (height / 8) * (width / 8), 128})),
        fc2(add("fc2", Linear{128, classes})) {}

  Tensor forward(const Tensor& x) const {
    Tensor h = max_pool2d(relu(bn1(conv1(x))), 2);
    h = max_pool2d(relu(bn2(conv2(h))), 2);
    h = max_pool2d(relu(bn3(conv3(h))), 2);
    return fc2(dropout(relu(fc1(flatten(h, 1)))));
  }

  Conv2d conv1;
  BatchNorm2d bn1 = add("bn1", BatchNorm2d{32});
  Conv2d conv2 = add("conv2", Conv2d{32, 64, {.kernel = 3, .padding = 1, .bias = false}});
  BatchNorm2d bn2 = add("bn2", BatchNorm2d{64});
  Conv2d conv3 = add("conv3", Conv2d{64, 64, {.kernel = 3, .padding = 1, .bias = false}});
  BatchNorm2d bn3 = add("bn3", BatchNorm2d{64});
  Linear fc1;
  Dropout dropout = add("dropout", Dropout{0.25});
  Linear fc2;
};

}  // namespace scry::nn
