#pragma once

#include <scry/autograd/ops/pool.hpp>
#include <scry/nn/module.hpp>
#include <scry/nn/name.hpp>

// Pooling of images [N, C, H, W], or in one dimension of sequences [N, C, L].
namespace scry::nn {

/// What `function` makes of each window. Size: Pair, or int64_t in one dimension.
template <Name name, class Size, class Options, Tensor (*function)(const Tensor&, Size, const Options&)>
struct WindowPool : Module<WindowPool<name, Size, Options, function>> {
  explicit WindowPool(Size kernel_size, const Options& given = {}) : kernel(kernel_size), options(given) {}
  Tensor forward(const Tensor& x) const { return function(x, kernel, options); }
  std::string describe() const { return text("nn.", name.view(), " ", kernel); }

  Size kernel;
  Options options;
};
/// The largest value, see scry::max_pool2d.
using MaxPool1d = WindowPool<"MaxPool1d", int64_t, MaxPoolOptions, max_pool1d>;
using MaxPool2d = WindowPool<"MaxPool2d", Pair, MaxPoolOptions, max_pool2d>;
/// The mean, see scry::avg_pool2d.
using AvgPool1d = WindowPool<"AvgPool1d", int64_t, AvgPoolOptions, avg_pool1d>;
using AvgPool2d = WindowPool<"AvgPool2d", Pair, AvgPoolOptions, avg_pool2d>;

/// (sum of xᵖ)^(1/p) of each window, see scry::lp_pool2d.
template <int dimensions>
struct LPPool : Module<LPPool<dimensions>> {
  LPPool(double power, Pair kernel_size, const LpPoolOptions& given = {}) : p(power), kernel(kernel_size), options(given) {}
  Tensor forward(const Tensor& x) const { return dimensions == 1 ? lp_pool1d(x, p, kernel.width, options) : lp_pool2d(x, p, kernel, options); }
  std::string describe() const { return text("nn.LPPool", dimensions, "d p ", p, ", ", dimensions == 1 ? Pair(kernel.width) : kernel); }

  double p;
  Pair kernel;
  LpPoolOptions options;
};
using LPPool1d = LPPool<1>;
using LPPool2d = LPPool<2>;

/// What `function` makes of as many windows as the result shall have; a size of 1 is global pooling.
template <Name name, class Size, Tensor (*function)(const Tensor&, Size)>
struct AdaptivePool : Module<AdaptivePool<name, Size, function>> {
  explicit AdaptivePool(Size output_size) : size(output_size) {}
  Tensor forward(const Tensor& x) const { return function(x, size); }
  std::string describe() const { return text("nn.", name.view(), " ", size); }

  Size size;
};
/// The means, see scry::adaptive_avg_pool2d.
using AdaptiveAvgPool1d = AdaptivePool<"AdaptiveAvgPool1d", int64_t, adaptive_avg_pool1d>;
using AdaptiveAvgPool2d = AdaptivePool<"AdaptiveAvgPool2d", Pair, adaptive_avg_pool2d>;
/// The largest values.
using AdaptiveMaxPool1d = AdaptivePool<"AdaptiveMaxPool1d", int64_t, adaptive_max_pool1d>;
using AdaptiveMaxPool2d = AdaptivePool<"AdaptiveMaxPool2d", Pair, adaptive_max_pool2d>;

}  // namespace scry::nn
