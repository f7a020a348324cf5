#include <scry/core/creation.hpp>
#include <scry/core/kernels/convert.hpp>
#include <scry/core/kernels/copy.hpp>
#include <cmath>

namespace scry {

Tensor full(const Shape& shape, double value, DType dtype) {
  Tensor out = Tensor::empty(shape, dtype);
  kernels::fill(out, value);
  return out;
}

Tensor arange(double start, double stop, double step, DType dtype) {
  require(step != 0 && std::isfinite(start) && std::isfinite(stop) && std::isfinite(step),
          "arange: expected finite numbers and a step other than 0, got ", start, ", ", stop, ", ", step);
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  require(count < 0x1p62, "arange: ", count, " elements are too many");
  Tensor out = Tensor::empty({static_cast<int64_t>(count)}, dtype);
  dispatch(dtype, [&]<class T>() {
    for (int64_t i = 0; i < out.numel(); ++i) static_cast<T*>(out.raw())[i] = kernels::convert<T>(start + static_cast<double>(i) * step);
  });
  return out;
}

}  // namespace scry
