#include <scry/autograd/folding.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/conv.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/conv2d.hpp>
#include <scry/core/room.hpp>
#include <algorithm>

namespace scry {
namespace {

using autograd::Gradients;
using autograd::image_of;
using autograd::record;
using autograd::with_rank;
using autograd::wrt;
using kernels::Window2d;

// The product of convolution is linear in each factor, so its three forms are each other's gradients.
Tensor product(const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups);
Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups);

Tensor input_gradient(const Tensor& g, const Tensor& weight, const Shape& input, const Window2d& window, int64_t groups, Tensor sum = {}) {
  const auto to_g = [](const Tensor& gg, const Tensor& w, const Window2d& by, int64_t parts) { return product(gg, w, by, parts); };
  const auto to_weight = [](const Tensor& gg, const Tensor& from, const Shape& shape, const Window2d& by, int64_t parts) {
    return weight_gradient(from, gg, shape, by, parts);
  };
  return record("conv2d_input_gradient")(kernels::conv2d_input_grad(g, weight, input, window, groups, std::move(sum)),
                                         wrt(g, to_g, weight, window, groups), wrt(weight, to_weight, g, weight.shape(), window, groups));
}

Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups) {
  const auto to_g = [](const Tensor& gg, const Tensor& in, const Window2d& by, int64_t parts) { return product(in, gg, by, parts); };
  const auto to_x = [](const Tensor& gg, const Tensor& from, const Shape& shape, const Window2d& by, int64_t parts) {
    return input_gradient(from, gg, shape, by, parts);
  };
  return record("conv2d_weight_gradient")(kernels::conv2d_weight_grad(g, x, weight, window, groups), wrt(g, to_g, x, window, groups),
                                          wrt(x, to_x, g, x.shape(), window, groups));
}

void conv_rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups) {
  if (gradients.wanted(0)) gradients.add(0, input_gradient(g, weight, x.shape(), window, groups, gradients.take_sum(0)));
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

Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window2d& window, int64_t groups,
                   kernels::PackedWeights* packed = nullptr) {
  return autograd::record("conv2d").joint(kernels::conv2d(x, weight, bias, window, groups, packed), {x, weight, bias}, conv_rule, x, weight, window,
                                          groups);
}

Tensor product(const Tensor& x, const Tensor& weight, const Window2d& window, int64_t groups) { return convolution(x, weight, {}, window, groups); }

// What a convolution of one dimension or two asks of its arguments; transposed, the weight's first axis is that of the input.
void check(std::string_view op, int dimensions, bool transposed, const Tensor& x, const Tensor& weight, const Tensor& bias, int64_t groups) {
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, dimensions + 2);
  autograd::require_rank(op, "the weight", weight, dimensions + 2);
  autograd::require_same_dtype(op, x, weight);
  const int64_t first = weight.size(0);
  require(groups >= 1 && groups <= std::max<int64_t>(first, 1) && first % groups == 0, op, ": ", groups, " groups don't divide the ", first,
          transposed ? " input" : " output", " channels of the weight");
  const int64_t second = weight.size(1) * groups, in = transposed ? first : second, out = transposed ? second : first;
  require(x.size(1) == in, op, ": expected ", in, " input channels in ", dimensions == 1 ? "[N, C, L]" : "[N, C, H, W]", ", got input of shape ",
          x.shape());
  if (!bias.defined()) return;
  autograd::require_same_dtype(op, x, bias);
  require(bias.shape() == Shape{out}, op, ": expected a bias of shape [", out, "], got ", bias.shape());
}

Tensor convolve(std::string_view op, int dimensions, const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  check(op, dimensions, false, x, weight, bias, o.groups);
  const Window2d window = autograd::window_of(op, dimensions, {weight.size(-2), weight.size(-1)}, o.stride, o.padding, o.dilation);
  const auto used = autograd::Folding::weights_for(weight, bias);
  const Tensor y = with_rank(convolution(image_of(x), image_of(used.weight), used.bias, window, o.groups, used.packed), x.rank());
  autograd::Folding::note({weight, bias}, y);
  return y;
}

Tensor convolve_transposed(std::string_view op, int dimensions, const Tensor& x, const Tensor& weight, const Tensor& bias,
                           const ConvTranspose2dOptions& o) {
  check(op, dimensions, true, x, weight, bias, o.groups);
  Window2d window = autograd::window_of(op, dimensions, {weight.size(-2), weight.size(-1)}, o.stride, o.padding, o.dilation);
  const Tensor in = image_of(x);
  Shape out{x.size(0), weight.size(1) * o.groups, 1, 1};
  for (int axis = dimensions == 1 ? 1 : 0; axis < 2; ++axis) {
    const auto i = static_cast<size_t>(axis);
    const int64_t size = in.size(2 + axis), extra = axis == 0 ? o.output_padding.height : o.output_padding.width;
    require(extra >= 0 && extra < std::max(window.stride[i], window.dilation[i]), op, ": an output padding of ", extra,
            " isn't below the stride or the dilation, ", window.stride[i], " and ", window.dilation[i]);
    require(size >= 1 && size < int64_t{1} << 31, op, ": expected at least one element along each axis, got input of shape ", x.shape());
    window.padding_after[i] -= extra;
    out[2 + axis] =
        (size - 1) * window.stride[i] + window.dilation[i] * (window.kernel[i] - 1) + 1 - window.padding_before[i] - window.padding_after[i];
    require(out[2 + axis] >= 1, op, ": an input of shape ", x.shape(), " leaves ", out[2 + axis], " elements of the result; use less padding");
  }
  require_room(op, out, x.dtype());
  const Tensor y = with_rank(input_gradient(in, image_of(weight), out, window, o.groups), x.rank());
  return bias.defined() ? y + reshape(bias, dimensions == 1 ? Shape{-1, 1} : Shape{-1, 1, 1}) : y;
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return convolve("conv2d", 2, x, weight, bias, options);
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  return convolve("conv1d", 1, x, weight, bias, options);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvTranspose2dOptions& options) {
  return convolve_transposed("conv_transpose2d", 2, x, weight, bias, options);
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvTranspose1dOptions& options) {
  return convolve_transposed("conv_transpose1d", 1, x, weight, bias, options);
}

}  // namespace scry
