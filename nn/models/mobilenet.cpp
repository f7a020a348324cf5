#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/nn/batch_norm.hpp>
#include <scry/nn/conv.hpp>
#include <scry/nn/dropout.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/models/initial.hpp>
#include <scry/nn/models/mobilenet.hpp>

namespace scry::nn {
namespace {

// To the nearest multiple of 8 that takes away no more than a tenth.
int64_t rounded(double channels) {
  const int64_t nearest = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

Sequential conv_norm_relu6(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t groups = 1) {
  return Sequential{Conv2d{in, out, {.kernel = kernel, .stride = stride, .padding = kernel / 2, .groups = groups, .bias = false}}, BatchNorm2d{out},
                    relu6};
}

struct InvertedResidual : Module<InvertedResidual> {
  InvertedResidual(int64_t in, int64_t out, int64_t stride, int64_t expansion) : conv(add("conv", Sequential{})), residual(stride == 1 && in == out) {
    const int64_t hidden = in * expansion;
    if (expansion != 1) conv.push_back(conv_norm_relu6(in, hidden, 1));
    conv.push_back(conv_norm_relu6(hidden, hidden, 3, stride, hidden));
    conv.push_back(Conv2d{hidden, out, {.kernel = 1, .bias = false}});
    conv.push_back(BatchNorm2d{out});
  }
  Tensor forward(const Tensor& x) const { return residual ? x + conv(x) : conv(x); }
  std::string describe() const { return "nn.InvertedResidual"; }

  Sequential conv;
  bool residual;
};

Sequential all_features(int64_t channels, double width) {
  constexpr struct {
    int64_t expansion, channels, blocks, stride;
  } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int64_t in = rounded(32 * width);
  Sequential net;
  net.push_back(conv_norm_relu6(channels, in, 3, 2));
  for (const auto& stage : stages) {
    const int64_t out = rounded(static_cast<double>(stage.channels) * width);
    for (int64_t i = 0; i < stage.blocks; ++i) {
      net.push_back(InvertedResidual{in, out, i == 0 ? stage.stride : 1, stage.expansion});
      in = out;
    }
  }
  net.push_back(conv_norm_relu6(in, rounded(1280 * std::max(width, 1.0)), 1));
  return net;
}

}  // namespace

MobileNetV2::MobileNetV2(const MobileNetV2Options& options)
    : features(add("features", all_features(options.channels, options.width))),
      classifier(add("classifier", Sequential{Dropout{options.dropout}, Linear{rounded(1280 * std::max(options.width, 1.0)), options.classes}})) {
  init_convolutional(*this, 0.01);
}

Tensor MobileNetV2::forward(const Tensor& x) const { return classifier(mean(features(x), {2, 3})); }

}  // namespace scry::nn
