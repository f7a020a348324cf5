#pragma once

#include <scry/autograd/ops/pool.hpp>
#include <scry/nn/module.hpp>

// Pooling of images [N, C, H, W], or in one dimension of sequences [N, C, L].
namespace scry::nn {

/// The largest value in each window, see scry::max_pool2d.
template <int dimensions>
struct MaxPool : Module<MaxPool<dimensions>> {
  explicit MaxPool(Pair kernel_size, const MaxPoolOptions& given = {}) : kernel(kernel_size), options(given) {}
  Tensor forward(const Tensor& x) const { return dimensions == 1 ? max_pool1d(x, kernel.width, options) : max_pool2d(x, kernel, options); }
  std::string describe() const { return text("nn.MaxPool", dimensions, "d ", dimensions == 1 ? Pair(kernel.width) : kernel); }

  Pair kernel;
  MaxPoolOptions options;
};
using MaxPool1d = MaxPool<1>;
using MaxPool2d = MaxPool<2>;

/// The mean of each window, see scry::avg_pool2d.
template <int dimensions>
struct AvgPool : Module<AvgPool<dimensions>> {
  explicit AvgPool(Pair kernel_size, const AvgPoolOptions& given = {}) : kernel(kernel_size), options(given) {}
  Tensor forward(const Tensor& x) const { return dimensions == 1 ? avg_pool1d(x, kernel.width, options) : avg_pool2d(x, kernel, options); }
  std::string describe() const { return text("nn.AvgPool", dimensions, "d ", dimensions == 1 ? Pair(kernel.width) : kernel); }

  Pair kernel;
  AvgPoolOptions options;
};
using AvgPool1d = AvgPool<1>;
using AvgPool2d = AvgPool<2>;

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

/// Means of as many windows as the result shall have, see scry::adaptive_avg_pool2d; a size of 1 is global pooling.
template <int dimensions>
struct AdaptiveAvgPool : Module<AdaptiveAvgPool<dimensions>> {
  explicit AdaptiveAvgPool(Pair output_size) : size(output_size) {}
  Tensor forward(const Tensor& x) const { return dimensions == 1 ? adaptive_avg_pool1d(x, size.width) : adaptive_avg_pool2d(x, size); }
  std::string describe() const { return text("nn.AdaptiveAvgPool", dimensions, "d ", dimensions == 1 ? Pair(size.width) : size); }

  Pair size;
};
using AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<2>;

/// The same with the largest values.
template <int dimensions>
struct AdaptiveMaxPool : Module<AdaptiveMaxPool<dimensions>> {
  explicit AdaptiveMaxPool(Pair output_size) : size(output_size) {}
  Tensor forward(const Tensor& x) const { return dimensions == 1 ? adaptive_max_pool1d(x, size.width) : adaptive_max_pool2d(x, size); }
  std::string describe() const { return text("nn.AdaptiveMaxPool", dimensions, "d ", dimensions == 1 ? Pair(size.width) : size); }

  Pair size;
};
using AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
using AdaptiveMaxPool2d = AdaptiveMaxPool<2>;

}  // namespace scry::nn
