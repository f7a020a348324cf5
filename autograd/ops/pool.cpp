#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/pool2d.hpp>

namespace scry {
namespace {

using autograd::image_of;
using autograd::record;
using autograd::with_rank;
using autograd::wrt;
using kernels::Window2d;

void check(std::string_view op, int dimensions, const Tensor& x) {
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, dimensions + 2);
}

Window2d window_of(std::string_view op, int dimensions, Pair kernel, const std::optional<Pair>& stride, const Padding& padding, Pair dilation) {
  const Window2d window = autograd::window_of(op, dimensions, kernel, stride.value_or(kernel), padding, dilation);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t most = std::max(window.padding_before[i], window.padding_after[i]);
    require(most <= window.dilation[i] * (window.kernel[i] - 1), op, ": a padding of ", most, " must be smaller than the kernel of ",
            window.kernel[i], ", or windows lie in it");
  }
  return window;
}

// Placing values at the maxima and reading them there are each other's gradients.
Tensor read(const Tensor& x, const Tensor& taps, const Window2d& window);

Tensor place(const Tensor& g, const Tensor& taps, const Shape& input, const Window2d& window) {
  const auto back = [](const Tensor& gg, const Tensor& which, const Window2d& by) { return read(gg, which, by); };
  return record("max_pool2d_gradient")(kernels::max_pool2d_grad(g, taps, input, window), wrt(g, back, taps, window));
}

Tensor read(const Tensor& x, const Tensor& taps, const Window2d& window) {
  const auto back = [](const Tensor& g, const Tensor& which, const Shape& input, const Window2d& by) { return place(g, which, input, by); };
  return record("max_pool2d_gather")(kernels::max_pool2d_gather(x, taps, window), wrt(x, back, taps, x.shape(), window));
}

// The maxima, and which element of its window each is.
kernels::Pooled maxima(const Tensor& x, const Window2d& window, bool ceil_mode) {
  const autograd::Recorder op = record("max_pool2d");
  const kernels::Pooled pooled = kernels::max_pool2d(x, window, ceil_mode);
  const auto back = [](const Tensor& g, const Tensor& taps, const Shape& input, const Window2d& by) { return place(g, taps, input, by); };
  return {op(pooled.values, wrt(x, back, pooled.indices, x.shape(), window)), pooled.indices};
}

Tensor max_pool(std::string_view op, int dimensions, const Tensor& x, Pair kernel, const MaxPoolOptions& o) {
  check(op, dimensions, x);
  return with_rank(maxima(image_of(x), window_of(op, dimensions, kernel, o.stride, o.padding, o.dilation), o.ceil_mode).values, x.rank());
}

// Where the elements of windows lie in their channel of images this wide.
Tensor positions(const Tensor& taps, const Window2d& window, int64_t width) {
  const auto first = [&](size_t i, int64_t count) {
    return arange(count) * static_cast<double>(window.stride[i]) - static_cast<double>(window.padding_before[i]);
  };
  const Tensor tap = cast(taps, i64), column = remainder(tap, scalar(static_cast<double>(window.kernel[1]), i64));
  const Tensor row = cast((tap - column) / static_cast<double>(window.kernel[1]), i64);
  const Tensor y = row * static_cast<double>(window.dilation[0]) + unsqueeze(first(0, taps.size(2)), 1);
  return y * static_cast<double>(width) + (column * static_cast<double>(window.dilation[1]) + first(1, taps.size(3)));
}

MaxPooled max_pool_with_indices(std::string_view op, int dimensions, const Tensor& x, Pair kernel, const MaxPoolOptions& o) {
  check(op, dimensions, x);
  const Window2d window = window_of(op, dimensions, kernel, o.stride, o.padding, o.dilation);
  const kernels::Pooled pooled = maxima(image_of(x), window, o.ceil_mode);
  return {with_rank(pooled.values, x.rank()), with_rank(positions(pooled.indices, window, x.size(-1)), x.rank())};
}

Tensor max_unpool(std::string_view op, int dimensions, const Tensor& x, const Tensor& indices, Pair size) {
  check(op, dimensions, x);
  require(indices.defined() && indices.dtype() == i64 && indices.shape() == x.shape(), op, ": expected indices (i64) of shape ", x.shape());
  constexpr int64_t limit = int64_t{1} << 31;
  require(size.height >= 0 && size.width >= 0 && size.height < limit && size.width < limit, op, ": a size of ", size.height, " x ", size.width,
          " must be from 0 to below 2^31");
  const Shape shape{x.size(0), x.size(1), size.height, size.width};
  const Tensor empty = zeros({x.size(0), x.size(1), size.height * size.width}, x.dtype());
  return with_rank(reshape(scatter(empty, flatten(indices, 2), flatten(x, 2), 2), shape), x.rank());
}

// How means are made.
struct Averaging {
  Window2d window;
  bool ceil_mode, count_include_pad;
  int64_t divisor;
};

Tensor spread(const Tensor& g, const Shape& input, const Averaging& by);

Tensor average(const Tensor& x, const Averaging& by) {
  const auto back = [](const Tensor& g, const Shape& input, const Averaging& how) { return spread(g, input, how); };
  return record("avg_pool2d")(kernels::avg_pool2d(x, by.window, by.ceil_mode, by.count_include_pad, by.divisor), wrt(x, back, x.shape(), by));
}

Tensor spread(const Tensor& g, const Shape& input, const Averaging& by) {
  const auto back = [](const Tensor& gg, const Averaging& how) { return average(gg, how); };
  return record("avg_pool2d_gradient")(kernels::avg_pool2d_grad(g, input, by.window, by.count_include_pad, by.divisor), wrt(g, back, by));
}

Tensor avg_pool(std::string_view op, int dimensions, const Tensor& x, Pair kernel, const AvgPoolOptions& o) {
  check(op, dimensions, x);
  require(o.divisor_override != 0, op, ": a divisor of 0 was given");
  const Window2d window = window_of(op, dimensions, kernel, o.stride, o.padding, 1);
  return with_rank(average(image_of(x), {window, o.ceil_mode, o.count_include_pad, o.divisor_override.value_or(0)}), x.rank());
}

Tensor lp_pool(std::string_view op, int dimensions, const Tensor& x, double p, Pair kernel, const LpPoolOptions& o) {
  check(op, dimensions, x);
  require(p > 0, op, ": expected a power above 0, got ", p);
  const Tensor means = avg_pool(op, dimensions, pow(x, p), kernel, {.stride = o.stride, .ceil_mode = o.ceil_mode});
  return pow(means * (static_cast<double>(kernel.height) * static_cast<double>(kernel.width)), 1 / p);
}

}  // namespace

Tensor autograd::max_pool(const Tensor& images, const Window2d& window) { return maxima(images, window, false).values; }

Tensor max_pool2d(const Tensor& x, Pair kernel, const MaxPoolOptions& options) { return max_pool("max_pool2d", 2, x, kernel, options); }
Tensor max_pool1d(const Tensor& x, int64_t kernel, const MaxPoolOptions& options) { return max_pool("max_pool1d", 1, x, kernel, options); }

MaxPooled max_pool2d_with_indices(const Tensor& x, Pair kernel, const MaxPoolOptions& options) {
  return max_pool_with_indices("max_pool2d_with_indices", 2, x, kernel, options);
}
MaxPooled max_pool1d_with_indices(const Tensor& x, int64_t kernel, const MaxPoolOptions& options) {
  return max_pool_with_indices("max_pool1d_with_indices", 1, x, kernel, options);
}

Tensor max_unpool2d(const Tensor& x, const Tensor& indices, Pair size) { return max_unpool("max_unpool2d", 2, x, indices, size); }
Tensor max_unpool1d(const Tensor& x, const Tensor& indices, int64_t size) { return max_unpool("max_unpool1d", 1, x, indices, {1, size}); }

Tensor avg_pool2d(const Tensor& x, Pair kernel, const AvgPoolOptions& options) { return avg_pool("avg_pool2d", 2, x, kernel, options); }
Tensor avg_pool1d(const Tensor& x, int64_t kernel, const AvgPoolOptions& options) { return avg_pool("avg_pool1d", 1, x, kernel, options); }

Tensor lp_pool2d(const Tensor& x, double p, Pair kernel, const LpPoolOptions& options) { return lp_pool("lp_pool2d", 2, x, p, kernel, options); }
Tensor lp_pool1d(const Tensor& x, double p, int64_t kernel, const LpPoolOptions& options) {
  return lp_pool("lp_pool1d", 1, x, p, {1, kernel}, options);
}

}  // namespace scry
