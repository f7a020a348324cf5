#include <scry/core/creation.hpp>
#include <scry/nn/activation.hpp>

namespace scry::nn {

PReLU::PReLU(int64_t channels, double init, DType dtype) {
  require(channels >= 1, "nn.PReLU: expected at least one weight, got ", channels);
  weight = parameter("weight", full({channels}, init, dtype));
}

RReLU::RReLU(double least, double greatest) : lower(least), upper(greatest) {
  require(lower >= 0 && lower <= upper, "nn.RReLU: expected slopes from 0 <= lower <= upper, got ", lower, " and ", upper);
}

Tensor Softmax2d::forward(const Tensor& x) const {
  require(x.defined() && (x.rank() == 3 || x.rank() == 4), "expected an input of shape [N, C, H, W] or [C, H, W], got ", x.shape());
  return softmax(x, -3);
}

}  // namespace scry::nn
