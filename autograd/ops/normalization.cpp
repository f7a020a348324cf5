#include <scry/autograd/checkpoint.hpp>
#include <scry/autograd/folding.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/normalization.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/batch_norm.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>

namespace scry {
namespace {

using autograd::Gradients;
using kernels::ChannelStatistics;

// A tensor by channel, shaped to broadcast over [N, C, …].
Tensor by_channel(const Tensor& values, int rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[1] = values.numel();
  return reshape(values, shape);
}

std::vector<int> axes_without_channels(int rank) {
  std::vector<int> axes{0};
  for (int i = 2; i < rank; ++i) axes.push_back(i);
  return axes;
}

// The same gradients out of differentiable ops, for second derivatives.
void composed_rule(const Tensor& arriving, Gradients& gradients, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   const ChannelStatistics& statistics, const kernels::BatchNormPass& pass) {
  const auto& [eps, training, clip] = pass;
  const AxesArgument axes(axes_without_channels(x.rank()));
  const auto average = [&](const Tensor& t) { return mean(t, axes, true); };
  const Tensor center = training ? average(x) : by_channel(cast(statistics.mean, x.dtype()), x.rank());
  const Tensor offset = x - center;
  const Tensor variance = training ? average(offset * offset) : by_channel(cast(statistics.variance, x.dtype()), x.rank());
  const Tensor inverse = 1 / sqrt(variance + eps);
  const Tensor normal = offset * inverse;
  Tensor g = arriving;
  if (clip) {
    const Tensor y = weight.defined() ? normal * by_channel(weight, x.rank()) + by_channel(bias, x.rank()) : normal;
    g = where(logical_or(le(y, clip->low), ge(y, clip->high)), 0, g);
  }
  if (gradients.wanted(0)) {
    const Tensor gw = weight.defined() ? g * by_channel(weight, x.rank()) : g;
    gradients.add(0, training ? inverse * (gw - average(gw) - normal * average(gw * normal)) : gw * inverse);
  }
  if (gradients.wanted(1)) gradients.add(1, sum(g * normal, axes));
  if (gradients.wanted(2)) gradients.add(2, sum(g, axes));
}

// Of batch_norm, or of a clip of it.
struct Rule {
  std::optional<kernels::Clip> clip = {};

  bool absorb_clip(double low, double high) {
    if (clip) return false;
    clip = {low, high};
    return true;
  }
  Tensor remake(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& batch_mean, const Tensor& variance, double eps, bool) const {
    return kernels::batch_norm(x, {batch_mean, variance}, weight, bias, eps, clip);
  }
  void operator()(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& batch_mean,
                  const Tensor& variance, double eps, bool training) const {
    const ChannelStatistics statistics{batch_mean, variance};
    const kernels::BatchNormPass pass{eps, training, clip};
    if (grad_enabled()) return composed_rule(g, gradients, x, weight, bias, statistics, pass);
    kernels::BatchNormGradients parts = kernels::batch_norm_gradients(g, x, statistics, weight, bias, pass, kernels::expendable(g));
    gradients.add(0, std::move(parts.input));
    gradients.add(1, std::move(parts.weight));
    gradients.add(2, std::move(parts.bias));
  }
};

void update(const Tensor& running, const Tensor& batch, double share, double scale) {
  if (!running.defined() || autograd::recomputing()) return;
  const NoGrad guard;
  const Tensor mixed = cast(running, f64) * (1 - share) + batch * (share * scale);
  kernels::copy_into(running, mixed);
  running.node().storage->bump_version();
}

}  // namespace

Tensor batch_norm(Tensor x, const RunningStatistics& running, const Tensor& weight, const Tensor& bias, const BatchNormOptions& options) {
  autograd::require_floating("batch_norm", x);
  require(x.rank() >= 2, "batch_norm: expected an input of shape [N, C, …], got ", x.shape());
  const Shape by{x.size(1)};
  require(weight.defined() == bias.defined(), "batch_norm: weight and bias are given both or neither");
  for (const Tensor* t : {&weight, &bias, &running.mean, &running.variance})
    require(!t->defined() || t->shape() == by, "batch_norm: an input of shape ", x.shape(), " needs weight, bias and statistics of shape ", by,
            ", got ", t->defined() ? t->shape() : by);
  for (const Tensor* t : {&weight, &bias})
    if (t->defined()) autograd::require_same_dtype("batch_norm", x, *t);
  require(options.training || (running.mean.defined() && running.variance.defined()),
          "batch_norm: evaluation needs running statistics; train first, or set training");

  if (!options.training && autograd::Folding::includes({running.mean, running.variance, weight, bias, options.eps}, x)) return x;
  const autograd::Recorder op = autograd::record("batch_norm");
  ChannelStatistics statistics;
  if (options.training) {
    const int64_t count = by[0] ? x.numel() / by[0] : 0;
    require(count > 1, "batch_norm: training needs more than one value a channel, got an input of shape ", x.shape());
    statistics = kernels::channel_statistics(x);
    update(running.mean, statistics.mean, options.momentum, 1);
    update(running.variance, statistics.variance, options.momentum, static_cast<double>(count) / static_cast<double>(count - 1));
  } else {
    statistics = {kernels::contiguous(kernels::cast(running.mean, f64)), kernels::contiguous(kernels::cast(running.variance, f64))};
  }
  return op.joint(kernels::batch_norm(x, statistics, weight, bias, options.eps), {x, weight, bias}, Rule{}, x, weight, bias, statistics.mean,
                  statistics.variance, options.eps, options.training);
}

}  // namespace scry
