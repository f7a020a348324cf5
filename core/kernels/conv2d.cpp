#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/conv2d.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/winograd.hpp>
#include <algorithm>
#include <atomic>

namespace scry {
namespace {

std::atomic<bool> with_winograd{true};

}  // namespace

void set_winograd(bool on) { with_winograd = on; }
bool winograd() { return with_winograd; }

namespace kernels {
namespace {

using conv::Correlation;

// The forward pass as a correlation. All of a convolution's shape arithmetic is checked here.
Correlation plan_forward(std::string_view op, const Shape& input, const Shape& weight, const Window2d& window, int64_t groups) {
  require(input.rank() == 4 && weight.rank() == 4, op, ": expected an input [N, C, H, W] and a weight [O, C / groups, KH, KW], got ", input, " and ",
          weight);
  require(window.kernel[0] == weight[2] && window.kernel[1] == weight[3], op, ": the window is ", window.kernel[0], " x ", window.kernel[1],
          " and the weight ", weight);
  require(groups >= 1 && input[1] % groups == 0 && weight[0] % groups == 0, op, ": ", groups, " groups don't divide ", input[1], " input and ",
          weight[0], " output channels");
  require(weight[1] == input[1] / groups, op, ": expected a weight [O, ", input[1] / groups, ", KH, KW] for input ", input, " and ", groups,
          " groups, got ", weight);
  Correlation c;
  c.images = input[0];
  c.groups = groups;
  c.in_channels = weight[1];
  c.out_channels = weight[0] / groups;
  c.y = conv::forward_axis(window, 0, input[2], window_count(op, window, 0, input[2]));
  c.x = conv::forward_axis(window, 1, input[3], window_count(op, window, 1, input[3]));
  return c;
}

void require_same(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.dtype() == b.dtype(), op, ": operands are ", a.dtype(), " and ", b.dtype(), "; convert one with cast");
}

void require_gradient(std::string_view op, const Tensor& gradient, const Correlation& c) {
  const Shape expected{c.images, c.out_pixel(), c.y.out, c.x.out};
  require(gradient.shape() == expected, op, ": expected a gradient of shape ", expected, ", got ", gradient.shape());
}

bool is_depthwise(const Correlation& c) { return c.groups > 1 && std::min(c.in_channels, c.out_channels) == 1; }
bool goes_by_winograd(const Correlation& c) { return winograd() && conv::fits_winograd(c) && conv::fills_registers(c); }

template <class T>
void correlate(const Correlation& c, const T* in, const conv::Weight<T>& weight, const T* bias, T* out) {
  if (c.points() == 0 || c.out_pixel() == 0) return;
  if (is_depthwise(c)) return conv::correlate_depthwise(c, in, weight, bias, out);
  if constexpr (std::is_same_v<T, float>) {
    if (goes_by_winograd(c)) return conv::correlate_winograd(c, in, weight, bias, out);
    if (conv::fills_channels(c)) return conv::correlate_channels(c, in, weight, bias, out);
    if (conv::fits_images(c)) return conv::correlate_images(c, in, weight, bias, out);
    if (conv::fits_dots(c)) return conv::correlate_dots(c, in, weight, bias, out);
    if (conv::groups_together(c) > 1) return conv::correlate_groups(c, in, weight, bias, out);
    conv::correlate_channels(c, in, weight, bias, out);
  } else {
    conv::correlate_general(c, in, weight, bias, out);
  }
}

template <class T>
void weight_grad(const Correlation& c, const T* in, const T* gradient, T* out) {
  if (c.groups > 1 && c.in_channels == 1) return conv::weight_grad_depthwise(c, in, gradient, out);
  if constexpr (std::is_same_v<T, float>) {
    if (winograd() && conv::fits_winograd(c)) return conv::weight_grad_winograd(c, in, gradient, out);
    if (conv::nearly_fills_channels(c)) return conv::weight_grad_channels(c, in, gradient, out);
    if (conv::fits_groups(c)) return conv::weight_grad_groups(c, in, gradient, out);
    if (conv::fits_images(c)) return conv::weight_grad_images(c, in, gradient, out);
    if (conv::groups_together(c) > 1) return conv::weight_grad_groups(c, in, gradient, out);
    conv::weight_grad_channels(c, in, gradient, out);
  } else {
    conv::weight_grad_general(c, in, gradient, out);
  }
}

}  // namespace

Shape conv2d_output_shape(const Shape& input, const Shape& weight, const Window2d& window, int64_t groups) {
  const Correlation c = plan_forward("conv2d", input, weight, window, groups);
  return {c.images, c.out_pixel(), c.y.out, c.x.out};
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window2d& window, int64_t groups, PackedWeights* kept) {
  constexpr std::string_view op = "conv2d";
  const Correlation c = plan_forward(op, x.shape(), weight.shape(), window, groups);
  require_same(op, x, weight);
  if (bias.defined()) {
    require_same(op, x, bias);
    require(bias.shape() == Shape{c.out_pixel()}, op, ": expected a bias of shape ", Shape{c.out_pixel()}, ", got ", bias.shape());
  }
  const Tensor in = channels_last(x), dense = contiguous(weight), dense_bias = bias.defined() ? contiguous(bias) : bias;
  Tensor out = empty_channels_last({c.images, c.out_pixel(), c.y.out, c.x.out}, x.dtype());
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    const Shape s = row_major_strides(weight.shape());
    correlate<T>(c, static_cast<const T*>(in.raw()), {static_cast<const T*>(dense.raw()), c.out_channels * s[0], s[0], s[1], s[2], s[3], kept},
                 bias.defined() ? static_cast<const T*>(dense_bias.raw()) : nullptr, static_cast<T*>(out.raw()));
  });
  return out;
}

Tensor conv2d_input_grad(const Tensor& gradient, const Tensor& weight, const Shape& input, const Window2d& window, int64_t groups, Tensor sum) {
  constexpr std::string_view op = "conv2d_input_grad";
  const Correlation forward = plan_forward(op, input, weight.shape(), window, groups);
  require_same(op, gradient, weight);
  require_gradient(op, gradient, forward);
  const Tensor in = channels_last(gradient), dense = contiguous(weight);
  Correlation c = forward;
  std::swap(c.in_channels, c.out_channels);
  const auto axes = [&](int64_t i, int64_t j) {
    c.y = conv::gradient_axis(window, 0, forward.y.out, input[2], i);
    c.x = conv::gradient_axis(window, 1, forward.x.out, input[3], j);
  };
  axes(0, 0);
  c.adds = sum.defined() && sum.dtype() == f32 && expendable(sum) && is_channels_last(sum) && !is_depthwise(c) &&
           (goes_by_winograd(c) || conv::fills_channels(c));
  Tensor out = c.adds ? std::move(sum) : empty_channels_last(input, gradient.dtype());
  dispatch_floating(op, gradient.dtype(), [&]<class T>() {
    const Shape s = row_major_strides(weight.shape());
    const conv::Weight<T> seen{static_cast<const T*>(dense.raw()), forward.out_channels * s[0], s[1], s[0], s[2], s[3]};
    for (int64_t i = 0; i < std::min(window.stride[0], input[2]); ++i)
      for (int64_t j = 0; j < std::min(window.stride[1], input[3]); ++j) {
        axes(i, j);
        correlate<T>(c, static_cast<const T*>(in.raw()), seen, nullptr, static_cast<T*>(out.raw()));
      }
  });
  if (sum.defined()) add_into(out, sum);
  return out;
}

Tensor conv2d_weight_grad(const Tensor& gradient, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups) {
  Tensor out = Tensor::empty(weight, x.dtype());
  conv2d_weight_grad_into(out, gradient, x, window, groups);
  return out;
}

void conv2d_weight_grad_into(const Tensor& out, const Tensor& gradient, const Tensor& x, const Window2d& window, int64_t groups) {
  constexpr std::string_view op = "conv2d_weight_grad";
  const Correlation c = plan_forward(op, x.shape(), out.shape(), window, groups);
  require_same(op, gradient, x);
  require_same(op, out, x);
  require_gradient(op, gradient, c);
  require(out.is_contiguous(), op, ": the result must be written to a row-major tensor");
  if (out.numel() == 0) return;
  const Tensor in = channels_last(x), g = channels_last(gradient);
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    const T *images = static_cast<const T*>(in.raw()), *gradients = static_cast<const T*>(g.raw());
    T* to = static_cast<T*>(out.raw());
    weight_grad(c, images, gradients, to);
  });
}

}  // namespace kernels
}  // namespace scry
