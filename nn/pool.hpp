#pragma once

#include <scry/autograd/ops/pool.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// The largest value in each window of [N, C, H, W], see scry::max_pool2d.
struct MaxPool2d : Module<MaxPool2d> {
  explicit MaxPool2d(Pair kernel_size, MaxPoolOptions given = {}) : kernel(kernel_size), options(given) {}
  Tensor forward(const Tensor& x) const { return max_pool2d(x, kernel, options); }
  std::string describe() const { return text("nn.MaxPool2d ", kernel.height, " x ", kernel.width); }

  Pair kernel;
  MaxPoolOptions options;
};

}  // namespace scry::nn
