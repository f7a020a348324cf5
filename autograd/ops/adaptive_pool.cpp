#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/resample.hpp>

namespace scry {
namespace {

void check(std::string_view op, int dimensions, const Tensor& x, Pair size) {
  constexpr int64_t limit = int64_t{1} << 31;
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, dimensions + 2);
  require(size.height >= 1 && size.width >= 1 && size.height < limit && size.width < limit, op, ": expected a size of at least 1, got ", size.height,
          " x ", size.width);
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

// Where windows aren't of one size they are laid side by side, each filled up with its last element, which never is the first largest.
int64_t even_out(Tensor& x, int axis, int64_t n) {
  const int64_t in = x.size(axis);
  if (in % n == 0) return in / n;
  int64_t kernel = 0;
  for (int64_t i = 0; i < n; ++i) kernel = std::max(kernel, end_of(i, in, n) - start_of(i, in, n));
  const Tensor index = Tensor::empty({n * kernel}, i64);
  auto* to = static_cast<int64_t*>(index.raw());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < kernel; ++k) *to++ = std::min(start_of(i, in, n) + k, end_of(i, in, n) - 1);
  x = index_select(x, index, axis);
  return kernel;
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
  Tensor even = x;
  const int64_t height = even_out(even, 2, size.height), width = even_out(even, 3, size.width);
  return max_pool2d(even, {height, width});
}

Tensor adaptive_max_pool1d(const Tensor& x, int64_t size) {
  check("adaptive_max_pool1d", 1, x, size);
  Tensor even = x;
  const int64_t length = even_out(even, 2, size);
  return max_pool1d(even, length);
}

}  // namespace scry
