#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/dropout.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>

namespace scry {

Tensor dropout(const Tensor& x, double p, Generator& generator) {
  autograd::require_floating("dropout", x);
  require(p >= 0 && p <= 1, "dropout: expected a probability from 0 to 1, got ", p);
  if (p == 0) return x;
  if (p == 1) return x * zeros(x.shape(), x.dtype());
  return x * kernels::mul(bernoulli(x.shape(), 1 - p, x.dtype(), generator), 1 / (1 - p));
}

}  // namespace scry
