#include <scry/nn/conv.hpp>
#include <scry/nn/init.hpp>

namespace scry::nn {

Conv2d::Conv2d(int64_t in, int64_t out, const Conv2dOptions& given) : options(given) {
  const auto& [kernel, stride, padding, dilation, groups, has_bias, dtype] = options;
  require(in >= 1 && out >= 1, "nn.Conv2d: expected at least one channel on both sides, got ", in, " -> ", out);
  require(kernel.height >= 1 && kernel.width >= 1, "nn.Conv2d: expected a kernel of at least 1, got [", kernel.height, ", ", kernel.width, "]");
  require(groups >= 1 && in % groups == 0 && out % groups == 0, "nn.Conv2d: ", groups, " groups must divide both ", in, " and ", out, " channels");
  const int64_t fan_in = in / groups * kernel.height * kernel.width;
  weight = parameter("weight", init::uniform_fan_in({out, in / groups, kernel.height, kernel.width}, fan_in, dtype));
  if (has_bias) bias = parameter("bias", init::uniform_fan_in({out}, fan_in, dtype));
}

Tensor Conv2d::forward(const Tensor& x) const {
  require(x.defined() && x.rank() == 4 && x.size(1) == weight.size(1) * options.groups, "expected ", weight.size(1) * options.groups,
          " input channels in [N, C, H, W], got input of shape ", x.shape());
  return conv2d(x, weight, bias, {.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups});
}

std::string Conv2d::describe() const {
  const auto& [height, width] = options.kernel;
  const std::string kernel = height == width ? text(height) : text(height, " x ", width);
  return text("nn.Conv2d ", weight.size(1) * options.groups, " -> ", weight.size(0), ", kernel ", kernel);
}

}  // namespace scry::nn
