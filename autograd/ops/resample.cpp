#include <scry/autograd/ops/resample.hpp>
#include <scry/autograd/tape.hpp>

namespace scry::autograd {

Tensor resample(const Tensor& x, int axis, const kernels::Resampling& map) {
  const auto back = [](const Tensor& g, int along, const kernels::Resampling& by) { return autograd::resample(g, along, by.transposed()); };
  return record("resample")(kernels::resample(x, axis, map), wrt(x, back, axis, map));
}

}  // namespace scry::autograd
