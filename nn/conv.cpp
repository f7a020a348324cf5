#include <scry/nn/conv.hpp>
#include <scry/nn/init.hpp>

namespace scry::nn {
namespace {

template <int dimensions, bool transposed>
std::string name_of_layer() {
  return text("nn.Conv", transposed ? "Transpose" : "", dimensions, "d");
}

}  // namespace

template <int dimensions, bool transposed>
Convolution<dimensions, transposed>::Convolution(int64_t in, int64_t out, const Options& given) : options(given) {
  const std::string layer = name_of_layer<dimensions, transposed>();
  const auto [first, second] = transposed ? std::pair(in, out) : std::pair(out, in);
  const Pair& kernel = options.kernel;
  require(first >= 1 && second >= 1, layer, ": expected at least one channel on both sides, got ", first, " and ", second);
  require((dimensions == 1 || kernel.height >= 1) && kernel.width >= 1, layer, ": expected a kernel of at least 1, got ", kernel);
  require(options.groups >= 1 && first % options.groups == 0 && second % options.groups == 0, layer, ": ", options.groups,
          " groups must divide both ", first, " and ", second, " channels");
  const Shape shape =
      dimensions == 1 ? Shape{first, second / options.groups, kernel.width} : Shape{first, second / options.groups, kernel.height, kernel.width};
  const int64_t fan_in = element_count(shape) / first;  // as PyTorch counts it
  weight = this->parameter("weight", init::uniform_fan_in(shape, fan_in, options.dtype));
  if (options.bias) bias = this->parameter("bias", init::uniform_fan_in({out}, fan_in, options.dtype));
}

template <int dimensions, bool transposed>
Tensor Convolution<dimensions, transposed>::forward(const Tensor& x) const {
  const auto& o = options;
  const int64_t channels = transposed ? weight.size(0) : weight.size(1) * o.groups;
  require(x.defined() && x.rank() == dimensions + 2 && x.size(1) == channels, "expected ", channels, " input channels in ",
          dimensions == 1 ? "[N, C, L]" : "[N, C, H, W]", ", got input of shape ", x.shape());
  if constexpr (transposed) {
    const auto run = dimensions == 1 ? conv_transpose1d : conv_transpose2d;
    return run(x, weight, bias,
               {.stride = o.stride, .padding = o.padding, .output_padding = o.output_padding, .groups = o.groups, .dilation = o.dilation});
  } else {
    const auto run = dimensions == 1 ? conv1d : conv2d;
    scry::Conv2dOptions how{.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups};
    if (o.padding_mode == PadMode::constant) return run(x, weight, bias, how);
    const auto window = autograd::window_of("padding", dimensions, o.kernel, o.stride, o.padding, o.dilation);
    const auto &before = window.padding_before, &after = window.padding_after;
    const int64_t widths[] = {before[1], after[1], before[0], after[0]};
    how.padding = 0;
    return run(pad(x, std::span(widths, 2 * dimensions), {.mode = o.padding_mode}), weight, bias, how);
  }
}

template <int dimensions, bool transposed>
std::string Convolution<dimensions, transposed>::describe() const {
  const int64_t first = weight.size(0), second = weight.size(1) * options.groups;
  return text(name_of_layer<dimensions, transposed>(), " ", transposed ? first : second, " -> ", transposed ? second : first, ", kernel ",
              dimensions == 1 ? Pair(options.kernel.width) : options.kernel);
}

template struct Convolution<1, false>;
template struct Convolution<2, false>;
template struct Convolution<1, true>;
template struct Convolution<2, true>;

}  // namespace scry::nn
