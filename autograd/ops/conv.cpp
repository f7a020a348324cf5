#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/conv.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/conv2d.hpp>

namespace scry {
namespace {

using autograd::Gradients;
using autograd::record;
using autograd::wrt;
using kernels::Window2d;

// The product of convolution is linear in each factor, so its three forms are each other's gradients.
Tensor product(const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups);
Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups);

Tensor input_gradient(const Tensor& g, const Tensor& weight, const Shape& input, const Window2d& window, int64_t groups) {
  const auto to_g = [](const Tensor& gg, const Tensor& w, const Window2d& by, int64_t parts) { return product(gg, w, by, parts); };
  const auto to_weight = [](const Tensor& gg, const Tensor& from, const Shape& shape, const Window2d& by, int64_t parts) {
    return weight_gradient(from, gg, shape, by, parts);
  };
  return record("conv2d_input_gradient", kernels::conv2d_input_grad(g, weight, input, window, groups), wrt(g, to_g, weight, window, groups),
                wrt(weight, to_weight, g, weight.shape(), window, groups));
}

Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups) {
  const auto to_g = [](const Tensor& gg, const Tensor& in, const Window2d& by, int64_t parts) { return product(in, gg, by, parts); };
  const auto to_x = [](const Tensor& gg, const Tensor& from, const Shape& shape, const Window2d& by, int64_t parts) {
    return input_gradient(from, gg, shape, by, parts);
  };
  return record("conv2d_weight_gradient", kernels::conv2d_weight_grad(g, x, weight, window, groups), wrt(g, to_g, x, window, groups),
                wrt(x, to_x, g, x.shape(), window, groups));
}

void rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups) {
  if (gradients.wanted(0)) gradients.add(0, input_gradient(g, weight, x.shape(), window, groups));
  if (gradients.wanted(1)) {
    if (grad_enabled()) {
      gradients.add(1, weight_gradient(g, x, weight.shape(), window, groups));
    } else {
      const Tensor place = gradients.place(1);
      kernels::conv2d_weight_grad_into(place, g, x, window, groups);
      gradients.add(1, place);
    }
  }
  if (gradients.wanted(2)) gradients.add(2, sum(g, {0, 2, 3}));
}

Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window2d& window, int64_t groups) {
  return autograd::record_joint("conv2d", kernels::conv2d(x, weight, bias, window, groups), {x, weight, bias}, rule, x, weight, window, groups);
}

Tensor product(const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups) { return convolution(x, weight, {}, window, groups); }

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  autograd::require_floating("conv2d", x);
  autograd::require_rank("conv2d", "the input", x, 4);
  autograd::require_rank("conv2d", "the weight", weight, 4);
  autograd::require_same_dtype("conv2d", x, weight);
  const auto& [stride, padding, dilation, groups] = options;
  require(groups >= 1 && weight.size(0) % groups == 0, "conv2d: ", groups, " groups don't divide the ", weight.size(0),
          " output channels of the weight");
  require(x.size(1) == weight.size(1) * groups, "conv2d: expected ", weight.size(1) * groups, " input channels in [N, C, H, W], got input of shape ",
          x.shape());
  require(stride.height >= 1 && stride.width >= 1 && dilation.height >= 1 && dilation.width >= 1 && padding.height >= 0 && padding.width >= 0,
          "conv2d: stride and dilation are at least 1, padding at least 0");
  if (bias.defined()) {
    autograd::require_same_dtype("conv2d", x, bias);
    require(bias.shape() == Shape{weight.size(0)}, "conv2d: expected a bias of shape [", weight.size(0), "], got ", bias.shape());
  }
  const Window2d window{.kernel = {weight.size(2), weight.size(3)},
                        .stride = {stride.height, stride.width},
                        .padding_before = {padding.height, padding.width},
                        .padding_after = {padding.height, padding.width},
                        .dilation = {dilation.height, dilation.width}};
  return convolution(x, weight, bias, window, groups);
}

}  // namespace scry
