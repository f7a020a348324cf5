#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/resample.hpp>
#include <scry/core/room.hpp>
#include <numeric>

namespace scry {
namespace {

void check(std::string_view op, int dimensions, const Tensor& x, Pair size) {
  constexpr int64_t limit = int64_t{1} << 31;
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, dimensions + 2);
  require(size.height >= 1 && size.width >= 1 && size.height < limit && size.width < limit, op, ": expected a size from 1 to below 2^31, got ",
          size.height, " x ", size.width);
  require_room(op, {x.size(0), x.size(1), dimensions == 1 ? 1 : size.height, size.width}, x.dtype());
  for (int i = 2; i < x.rank(); ++i) require(x.size(i) >= 1 && x.size(i) < limit, op, ": there is nothing to pool in shape ", x.shape());
}

// The windows of n results over an axis.
int64_t start_of(int64_t i, int64_t in, int64_t n) { return i * in / n; }
int64_t end_of(int64_t i, int64_t in, int64_t n) { return ((i + 1) * in + n - 1) / n; }

Tensor average_axis(const Tensor& x, int axis, int64_t n) {
  const int64_t in = x.size(axis);
  kernels::Resampling map(in, n, in + n);
  for (int64_t i = 0; i < n; ++i, map.end_row())
    for (int64_t k = start_of(i, in, n), end = end_of(i, in, n), first = k; k < end; ++k) map.add(k, 1 / static_cast<double>(end - first));
  return autograd::resample(x, axis, map);
}

Tensor maximum(const Tensor& x, Pair size) {
  const Tensor images = autograd::image_of(x);
  kernels::Window2d window{.results = {size.height, size.width}};
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t in = images.size(static_cast<int>(axis) + 2), n = window.results[axis];
    window.kernel[axis] = (in + 2 * n - std::gcd(in, n) - 1) / n;  // end_of - start_of where i in mod n is largest
  }
  return autograd::with_rank(autograd::max_pool(images, window), x.rank());
}

}  // namespace

Tensor adaptive_avg_pool2d(const Tensor& x, Pair size) {
  check("adaptive_avg_pool2d", 2, x, size);
  return average_axis(average_axis(x, 2, size.height), 3, size.width);
}

Tensor adaptive_avg_pool1d(const Tensor& x, int64_t size) {
  check("adaptive_avg_pool1d", 1, x, size);
  return average_axis(x, 2, size);
}

Tensor adaptive_max_pool2d(const Tensor& x, Pair size) {
  check("adaptive_max_pool2d", 2, x, size);
  return maximum(x, size);
}

Tensor adaptive_max_pool1d(const Tensor& x, int64_t size) {
  check("adaptive_max_pool1d", 1, x, size);
  return maximum(x, {1, size});
}

}  // namespace scry
