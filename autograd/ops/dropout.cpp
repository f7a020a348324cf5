#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/dropout.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <algorithm>

namespace scry {
namespace {

void check(std::string_view op, const Tensor& x, double p, int least_rank) {
  autograd::require_floating(op, x);
  require(p >= 0 && p <= 1, op, ": expected a probability from 0 to 1, got ", p);
  require(x.rank() >= least_rank, op, ": expected at least ", least_rank, " axes, got shape ", x.shape());
}

// One draw for each element of `mask`, which is broadcast over x.
Tensor dropped(const Tensor& x, double p, const Shape& mask, Generator& generator) {
  if (p == 0) return x;
  if (p == 1) return x * zeros(mask, x.dtype());
  return x * kernels::mul(bernoulli(mask, 1 - p, x.dtype(), generator), 1 / (1 - p));
}

// The first axes of x, and 1 for the others.
Shape leading(const Tensor& x, int axes) {
  Shape shape = Shape::filled(x.rank(), 1);
  std::copy_n(x.shape().begin(), axes, &shape[0]);
  return shape;
}

}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& generator) {
  check("dropout", x, p, 0);
  return dropped(x, p, x.shape(), generator);
}

Tensor feature_dropout(const Tensor& x, double p, Generator& generator) {
  check("feature_dropout", x, p, 2);
  return dropped(x, p, leading(x, 2), generator);
}

Tensor stochastic_depth(const Tensor& x, double p, bool by_batch, Generator& generator) {
  check("stochastic_depth", x, p, 1);
  return dropped(x, p, leading(x, by_batch ? 0 : 1), generator);
}

Tensor alpha_dropout(const Tensor& x, double p, Generator& generator) {
  check("alpha_dropout", x, p, 0);
  if (p == 0) return x;
  if (p == 1) return x * zeros(x.shape(), x.dtype());
  // With z = -λα of SELU, kept elements have mean (1 - p) 0 + p z = p z and variance (1 - p)(1 + p z²).
  constexpr double z = -1.7580993408473766;
  const double scale = 1 / std::sqrt((1 - p) * (1 + p * z * z));
  const Tensor kept = bernoulli(x.shape(), 1 - p, x.dtype(), generator);
  return x * kernels::mul(kept, scale) + kernels::mul(kernels::add(kernels::mul(kept, -1), 1 - p), z * scale);
}

}  // namespace scry
