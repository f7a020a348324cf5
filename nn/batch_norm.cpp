#include <scry/autograd/checkpoint.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/inplace.hpp>
#include <scry/autograd/ops/normalization.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/row_norm.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/nn/batch_norm.hpp>

namespace scry::nn {
namespace {

// The means over samples of their means and variances go into the running ones.
void count_samples(const Tensor& x, const RunningStatistics& running, double share) {
  const NoGrad guard;
  const AxesArgument spatial = x.rank() == 3 ? AxesArgument{2} : AxesArgument{2, 3};
  copy_(running.mean, running.mean * (1 - share) + mean(mean(x, spatial), 0) * share);
  copy_(running.variance, running.variance * (1 - share) + mean(var(x, spatial), 0) * share);
}

}  // namespace

template <int dimensions, bool by_sample>
ChannelNorm<dimensions, by_sample>::ChannelNorm(int64_t count, const Options& given) : channels(count), options(given) {
  require(channels >= 1, describe(), ": expected at least one channel");
  if (options.affine) {
    weight = this->parameter("weight", ones({channels}, options.dtype));
    bias = this->parameter("bias", zeros({channels}, options.dtype));
  }
  if (options.track_running_stats) {
    running_mean = this->buffer("running_mean", zeros({channels}, options.dtype));
    running_var = this->buffer("running_var", ones({channels}, options.dtype));
    num_batches_tracked = this->buffer("num_batches_tracked", zeros({}, i64));
  }
}

template <int dimensions, bool by_sample>
Tensor ChannelNorm<dimensions, by_sample>::forward(Tensor x) const {
  constexpr std::string_view expected = dimensions == 2 ? "[N, C, H, W]" : by_sample ? "[N, C, L]" : "[N, C] or [N, C, L]";
  const int rank = x.defined() ? x.rank() : 0;
  require(rank == dimensions + 2 || (rank == 2 && dimensions == 1 && !by_sample), "expected an input of shape ", expected, ", got ", x.shape());
  require(x.size(1) == channels, "expected ", channels, " channels in ", expected, ", got input of shape ", x.shape());
  const bool tracking = options.track_running_stats && this->training() && !autograd::recomputing(),
             own = this->training() || !options.track_running_stats;
  const RunningStatistics running{running_mean, running_var};
  if (by_sample && own) {
    const int64_t places = x.numel() / std::max<int64_t>(x.size(0) * channels, 1);
    require(places > 1 || x.size(0) == 0, "normalisation by sample needs more than one value a channel, got an input of shape ", x.shape());
    const Tensor y = instance_norm(x, weight, bias, options.eps);
    if (tracking && x.size(0) > 0) count_samples(x, running, options.momentum.value_or(0));
    return y;
  }
  Tensor count = num_batches_tracked;
  const double momentum = tracking ? options.momentum.value_or(1 / (count.item() + 1)) : 0;
  const Tensor y = batch_norm(std::move(x), running, weight, bias, {.eps = options.eps, .momentum = momentum, .training = own});
  if (tracking) ++*count.mutable_data<int64_t>();
  return y;
}

template <int dimensions, bool by_sample>
std::string ChannelNorm<dimensions, by_sample>::describe() const {
  return text("nn.", by_sample ? "Instance" : "Batch", "Norm", dimensions, "d ", channels);
}

template struct ChannelNorm<1, false>;
template struct ChannelNorm<2, false>;
template struct ChannelNorm<1, true>;
template struct ChannelNorm<2, true>;

}  // namespace scry::nn
