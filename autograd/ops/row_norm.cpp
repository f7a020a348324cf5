#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/resample.hpp>
#include <scry/autograd/ops/row_norm.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/row_norm.hpp>
#include <algorithm>
#include <limits>

namespace scry {
namespace {

using autograd::Gradients;
using kernels::RowNorm;

// The same gradients out of differentiable ops, for second derivatives. Everything is shaped [samples, groups, channels of a group, span].
void composed_rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight, const Tensor& bias, const RowNorm& norm) {
  const Shape shape{x.numel() / (norm.groups * norm.length), norm.groups, norm.length / norm.span, norm.span};
  const auto average = [](const Tensor& t) { return mean(t, {2, 3}, true); };
  const Tensor values = reshape(x, shape), gs = reshape(g, shape);
  const Tensor offset = norm.centered ? values - average(values) : values;
  const Tensor inverse = 1 / sqrt(average(offset * offset) + norm.eps);
  const Tensor normal = offset * inverse;
  if (gradients.wanted(0)) {
    const Tensor gw = weight.defined() ? gs * reshape(weight, {norm.groups, shape[2], 1}) : gs;
    const Tensor slope = gw - normal * average(gw * normal);
    gradients.add(0, reshape(inverse * (norm.centered ? slope - average(gw) : slope), x.shape()));
  }
  if (gradients.wanted(1)) gradients.add(1, reshape(sum(gs * normal, {0, 3}), weight.shape()));
  if (gradients.wanted(2)) gradients.add(2, reshape(sum(gs, {0, 3}), bias.shape()));
}

void row_norm_rule(const Tensor& g, Gradients& gradients, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                   const Tensor& inverse, const RowNorm& norm) {
  if (grad_enabled() && norm.groups * norm.length > 0) return composed_rule(g, gradients, x, weight, bias, norm);
  const kernels::RowNormGradients parts = kernels::row_norm_gradients(g, x, weight, mean, inverse, norm);
  if (gradients.wanted(0)) gradients.add(0, parts.input);
  if (gradients.wanted(1)) gradients.add(1, reshape(parts.weight, weight.shape()));
  if (gradients.wanted(2)) gradients.add(2, reshape(parts.bias, bias.shape()));
}

Tensor normalise(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, const RowNorm& norm, const Shape& parameters) {
  for (const Tensor* t : {&weight, &bias}) {
    if (!t->defined()) continue;
    autograd::require_same_dtype(op, x, *t);
    require(t->shape() == parameters, op, ": an input of shape ", x.shape(), " needs ", t == &weight ? "a weight" : "a bias", " of shape ",
            parameters, ", got ", t->shape());
  }
  const autograd::Recorder recorder = autograd::record(op);
  const kernels::RowNormResult out = kernels::row_norm(x, weight, bias, norm);
  return recorder.joint(out.y, {x, weight, bias}, row_norm_rule, x, weight, bias, out.mean, out.inverse, norm);
}

Tensor over_last_axes(const char* op, const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, bool centered, double eps) {
  autograd::require_floating(op, x);
  const int lead = x.rank() - shape.rank();
  require(shape.rank() > 0 && lead >= 0 && std::equal(shape.begin(), shape.end(), x.shape().begin() + lead), op, ": an input of shape ", x.shape(),
          " doesn't end with the axes ", shape);
  return normalise(op, x, weight, bias, {.length = element_count(shape), .centered = centered, .eps = eps}, shape);
}

Tensor over_channels(const char* op, const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  const int64_t channels = x.size(1), samples = x.size(0), span = channels && samples ? x.numel() / channels / samples : 1;
  const RowNorm norm{.length = channels / groups * span, .groups = groups, .span = std::max<int64_t>(span, 1), .eps = eps};
  return normalise(op, x, weight, bias, norm, {channels});
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, double eps) {
  return over_last_axes("layer_norm", x, shape, weight, bias, true, eps);
}

Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight, std::optional<double> eps) {
  const double least = x.defined() && x.dtype() == f64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  return over_last_axes("rms_norm", x, shape, weight, {}, false, eps.value_or(least));
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  autograd::require_floating("group_norm", x);
  require(x.rank() >= 2, "group_norm: expected an input of shape [N, C, …], got ", x.shape());
  require(groups > 0 && x.size(1) % groups == 0, "group_norm: ", groups, " groups don't divide the channels of shape ", x.shape());
  return over_channels("group_norm", x, groups, weight, bias, eps);
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  autograd::require_floating("instance_norm", x);
  require(x.rank() >= 3, "instance_norm: expected an input of shape [N, C, spatial…], got ", x.shape());
  return over_channels("instance_norm", x, std::max<int64_t>(x.size(1), 1), weight, bias, eps);
}

Tensor local_response_norm(const Tensor& x, int64_t size, const LocalResponseNormOptions& options) {
  autograd::require_floating("local_response_norm", x);
  require(x.rank() >= 3, "local_response_norm: expected an input of shape [N, C, spatial…], got ", x.shape());
  require(size >= 1 && size < int64_t{1} << 31, "local_response_norm: expected a size of at least 1, got ", size);
  const int64_t channels = x.size(1);
  kernels::Resampling neighbours(channels, channels, channels * std::min(size, channels));
  for (int64_t c = 0; c < channels; ++c, neighbours.end_row())
    for (int64_t i = std::max<int64_t>(c - size / 2, 0); i <= std::min(c + (size - 1) / 2, channels - 1); ++i)
      neighbours.add(i, options.alpha / static_cast<double>(size));
  return x / pow(autograd::resample(x * x, 1, neighbours) + options.k, options.beta);
}

}  // namespace scry
