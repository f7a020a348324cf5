#include <scry/nn/conv.hpp>
#include <scry/nn/init.hpp>

namespace scry::nn {
namespace {

template <int dimensions>
constexpr std::string_view shape_of_input = dimensions == 1 ? "[N, C, L]" : "[N, C, H, W]";

// A weight between `first` and `second` channels, of which the groups divide both.
template <int dimensions>
Shape weight_shape(std::string_view layer, int64_t first, int64_t second, Pair kernel, int64_t groups) {
  require(first >= 1 && second >= 1, "nn.", layer, dimensions, "d: expected at least one channel on both sides, got ", first, " and ", second);
  require((dimensions == 1 || kernel.height >= 1) && kernel.width >= 1, "nn.", layer, dimensions, "d: expected a kernel of at least 1, got ", kernel);
  require(groups >= 1 && first % groups == 0 && second % groups == 0, "nn.", layer, dimensions, "d: ", groups, " groups must divide both ", first,
          " and ", second, " channels");
  return dimensions == 1 ? Shape{first, second / groups, kernel.width} : Shape{first, second / groups, kernel.height, kernel.width};
}

// The number of inputs that PyTorch counts for a weight.
int64_t fan_in(const Shape& weight) { return element_count(weight) / weight[0]; }

template <int dimensions>
void check_input(const Tensor& x, int64_t channels) {
  require(x.defined() && x.rank() == dimensions + 2 && x.size(1) == channels, "expected ", channels, " input channels in ",
          shape_of_input<dimensions>, ", got input of shape ", x.shape());
}

template <int dimensions>
std::string description(std::string_view layer, int64_t in, int64_t out, Pair kernel) {
  return text("nn.", layer, dimensions, "d ", in, " -> ", out, ", kernel ", dimensions == 1 ? Pair(kernel.width) : kernel);
}

}  // namespace

template <int dimensions>
Conv<dimensions>::Conv(int64_t in, int64_t out, const Conv2dOptions& given) : options(given) {
  const Shape shape = weight_shape<dimensions>("Conv", out, in, options.kernel, options.groups);
  weight = this->parameter("weight", init::uniform_fan_in(shape, fan_in(shape), options.dtype));
  if (options.bias) bias = this->parameter("bias", init::uniform_fan_in({out}, fan_in(shape), options.dtype));
}

template <int dimensions>
Tensor Conv<dimensions>::forward(const Tensor& x) const {
  check_input<dimensions>(x, weight.size(1) * options.groups);
  const auto run = dimensions == 1 ? conv1d : conv2d;
  const auto& [kernel, stride, padding, dilation, groups, has_bias, mode, dtype] = options;
  if (mode == PadMode::constant) return run(x, weight, bias, {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups});
  const auto window = autograd::window_of("padding", dimensions, kernel, stride, padding, dilation);
  const auto &before = window.padding_before, &after = window.padding_after;
  const int64_t widths[] = {before[1], after[1], before[0], after[0]};
  const Tensor padded = pad(x, std::span(widths, 2 * dimensions), {.mode = mode});
  return run(padded, weight, bias, {.stride = stride, .dilation = dilation, .groups = groups});
}

template <int dimensions>
std::string Conv<dimensions>::describe() const {
  return description<dimensions>("Conv", weight.size(1) * options.groups, weight.size(0), options.kernel);
}

template <int dimensions>
ConvTranspose<dimensions>::ConvTranspose(int64_t in, int64_t out, const ConvTranspose2dOptions& given) : options(given) {
  const Shape shape = weight_shape<dimensions>("ConvTranspose", in, out, options.kernel, options.groups);
  weight = this->parameter("weight", init::uniform_fan_in(shape, fan_in(shape), options.dtype));
  if (options.bias) bias = this->parameter("bias", init::uniform_fan_in({out}, fan_in(shape), options.dtype));
}

template <int dimensions>
Tensor ConvTranspose<dimensions>::forward(const Tensor& x) const {
  check_input<dimensions>(x, weight.size(0));
  const auto run = dimensions == 1 ? conv_transpose1d : conv_transpose2d;
  return run(x, weight, bias,
             {.stride = options.stride,
              .padding = options.padding,
              .output_padding = options.output_padding,
              .groups = options.groups,
              .dilation = options.dilation});
}

template <int dimensions>
std::string ConvTranspose<dimensions>::describe() const {
  return description<dimensions>("ConvTranspose", weight.size(0), weight.size(1) * options.groups, options.kernel);
}

template struct Conv<1>;
template struct Conv<2>;
template struct ConvTranspose<1>;
template struct ConvTranspose<2>;

}  // namespace scry::nn
