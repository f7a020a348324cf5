#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>

namespace scry {

Tensor cast(const Tensor& x, DType dtype) {
  const autograd::Recorder recorder = autograd::record("cast");
  autograd::require_defined("cast", x);
  if (x.dtype() == dtype) return x;
  Tensor y = kernels::cast(x, dtype);
  if (!is_floating(dtype)) return y;
  return recorder(y, autograd::wrt(x, cast, x.dtype()));
}

}  // namespace scry
