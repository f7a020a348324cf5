#pragma once

#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/linear.hpp>

namespace scry::nn {

/// A LeNet for images of 28 x 28: two 5 x 5 convolutions with pooling and two linear layers, in the form that Caffe made common, after LeCun,
/// Bottou, Bengio and Haffner 1998. x: [N, channels, 28, 28] -> [N, classes]. 431,080 parameters for one channel and ten classes.
struct LeNet : Module<LeNet> {
  explicit LeNet(int64_t channels = 1, int64_t classes = 10)
      : conv1(add("conv1", Conv2d{channels, 20, {.kernel = 5}})), fc2(add("fc2", Linear{500, classes})) {}

  Tensor forward(const Tensor& x) const {
    Tensor h = max_pool2d(relu(conv1(x)), 2);
    h = max_pool2d(relu(conv2(h)), 2);
    return fc2(relu(fc1(flatten(h, 1))));
  }

  Conv2d conv1;
  Conv2d conv2 = add("conv2", Conv2d{20, 50, {.kernel = 5}});
  Linear fc1 = add("fc1", Linear{800, 500});
  Linear fc2;
};

}  // namespace scry::nn
