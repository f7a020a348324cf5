#include <scry/autograd/ops/normalization.hpp>
#include <scry/core/creation.hpp>
#include <scry/nn/batch_norm.hpp>

namespace scry::nn {

BatchNorm2d::BatchNorm2d(int64_t channels, BatchNormOptions given) : options(given) {
  require(channels >= 1, "nn.BatchNorm2d: expected at least one channel, got ", channels);
  if (options.affine) {
    weight = parameter("weight", ones({channels}, options.dtype));
    bias = parameter("bias", zeros({channels}, options.dtype));
  }
  running_mean = buffer("running_mean", zeros({channels}, options.dtype));
  running_var = buffer("running_var", ones({channels}, options.dtype));
  num_batches_tracked = buffer("num_batches_tracked", zeros({}, i64));
}

Tensor BatchNorm2d::forward(const Tensor& x) const {
  require(x.defined() && x.rank() == 4, "expected an input of shape [N, C, H, W], got ", x.shape());
  require(x.size(1) == running_mean.numel(), "expected ", running_mean.numel(), " channels in [N, C, H, W], got input of shape ", x.shape());
  Tensor y = batch_norm(x, {running_mean, running_var}, weight, bias, {.eps = options.eps, .momentum = options.momentum, .training = training()});
  if (training()) {
    Tensor count = num_batches_tracked;
    ++*count.mutable_data<int64_t>();
  }
  return y;
}

std::string BatchNorm2d::describe() const { return text("nn.BatchNorm2d ", running_mean.numel()); }

}  // namespace scry::nn
