#include <scry/core/creation.hpp>
#include <scry/nn/norm.hpp>

namespace scry::nn {

LayerNorm::LayerNorm(const Shape& last, const LayerNormOptions& given) : shape(last), options(given) {
  require(shape.rank() > 0 && element_count(shape) > 0, "nn.LayerNorm: expected at least one axis, none of them empty, got ", shape);
  if (!options.elementwise_affine) return;
  weight = parameter("weight", ones(shape, options.dtype));
  if (options.bias) bias = parameter("bias", zeros(shape, options.dtype));
}

RMSNorm::RMSNorm(const Shape& last, const RMSNormOptions& given) : shape(last), options(given) {
  require(shape.rank() > 0 && element_count(shape) > 0, "nn.RMSNorm: expected at least one axis, none of them empty, got ", shape);
  if (options.elementwise_affine) weight = parameter("weight", ones(shape, options.dtype));
}

GroupNorm::GroupNorm(int64_t group_count, int64_t channel_count, const GroupNormOptions& given)
    : groups(group_count), channels(channel_count), options(given) {
  require(groups >= 1 && channels >= 1 && channels % groups == 0, "nn.GroupNorm: ", groups, " groups don't divide ", channels, " channels");
  if (!options.affine) return;
  weight = parameter("weight", ones({channels}, options.dtype));
  bias = parameter("bias", zeros({channels}, options.dtype));
}

Tensor GroupNorm::forward(const Tensor& x) const {
  require(x.defined() && x.rank() >= 2 && x.size(1) == channels, "expected ", channels, " channels in [N, C, …], got input of shape ", x.shape());
  return group_norm(x, groups, weight, bias, options.eps);
}

}  // namespace scry::nn
