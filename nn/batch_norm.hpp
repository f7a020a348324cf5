#pragma once

#include <scry/nn/module.hpp>
#include <optional>

namespace scry::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< the share of the new batch in the running statistics; none: the mean over all batches
  bool affine = true;                    ///< whether there are a weight and a bias
  bool track_running_stats = true;       ///< whether there are running statistics; without them evaluation goes by the batch too
  DType dtype = f32;
};

struct InstanceNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< as above; none leaves the running statistics alone, as in PyTorch
  bool affine = false;
  bool track_running_stats = false;
  DType dtype = f32;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias by channel of [N, C, H, W], or in one dimension of [N, C, L]. Mean and variance are those of
/// the batch (Ioffe and Szegedy 2015), which may also be [N, C] in one dimension, or of each sample by itself (Ulyanov et al. 2016); in
/// evaluation, the running ones, where they are kept. Parameters: weight and bias [C], 1 and 0 at first. Buffers: running_mean, running_var [C]
/// (of unbiased variances) and num_batches_tracked (i64), as PyTorch.
template <int dimensions, bool by_sample>
struct ChannelNorm : Module<ChannelNorm<dimensions, by_sample>> {
  using Options = std::conditional_t<by_sample, InstanceNormOptions, BatchNormOptions>;
  explicit ChannelNorm(int64_t channels, const Options& options = {});
  Tensor forward(Tensor x) const;
  std::string describe() const;

  int64_t channels;
  Options options;
  Tensor weight, bias;
  Tensor running_mean, running_var, num_batches_tracked;
};
using BatchNorm1d = ChannelNorm<1, false>;
using BatchNorm2d = ChannelNorm<2, false>;
using InstanceNorm1d = ChannelNorm<1, true>;
using InstanceNorm2d = ChannelNorm<2, true>;

extern template struct ChannelNorm<1, false>;
extern template struct ChannelNorm<2, false>;
extern template struct ChannelNorm<1, true>;
extern template struct ChannelNorm<2, true>;

}  // namespace scry::nn
