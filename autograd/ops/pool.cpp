#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/pool2d.hpp>

namespace scry {
namespace {

using autograd::record;
using autograd::wrt;
using kernels::Window2d;

Window2d window_of(std::string_view op, const Tensor& x, Pair kernel, const Pool2dOptions& options) {
  autograd::require_floating(op, x);
  autograd::require_rank(op, "the input", x, 4);
  const Pair stride = options.stride.value_or(kernel), padding = options.padding;
  require(kernel.height >= 1 && kernel.width >= 1 && stride.height >= 1 && stride.width >= 1, op, ": kernel and stride are at least 1");
  require(padding.height >= 0 && padding.width >= 0 && 2 * padding.height <= kernel.height && 2 * padding.width <= kernel.width, op, ": padding [",
          padding.height, ", ", padding.width, "] must be from 0 to half the kernel [", kernel.height, ", ", kernel.width, "]");
  return {.kernel = {kernel.height, kernel.width},
          .stride = {stride.height, stride.width},
          .padding_before = {padding.height, padding.width},
          .padding_after = {padding.height, padding.width}};
}

// Placing values at the maxima and reading them there are each other's gradients.
Tensor gather(const Tensor& x, const Tensor& indices, const Window2d& window);

Tensor scatter(const Tensor& g, const Tensor& indices, const Shape& input, const Window2d& window) {
  const auto back = [](const Tensor& gg, const Tensor& which, const Window2d& by) { return gather(gg, which, by); };
  return record("max_pool2d_gradient", kernels::max_pool2d_grad(g, indices, input, window), wrt(g, back, indices, window));
}

Tensor gather(const Tensor& x, const Tensor& indices, const Window2d& window) {
  const auto back = [](const Tensor& g, const Tensor& which, const Shape& input, const Window2d& by) { return scatter(g, which, input, by); };
  return record("max_pool2d_gather", kernels::max_pool2d_gather(x, indices, window), wrt(x, back, indices, x.shape(), window));
}

Tensor avg_gradient(const Tensor& g, const Shape& input, const Window2d& window, bool ceil_mode, bool count_include_pad);

Tensor average(const Tensor& x, const Window2d& window, bool ceil_mode, bool count_include_pad) {
  const auto back = [](const Tensor& g, const Shape& input, const Window2d& by, bool ceil, bool count) {
    return avg_gradient(g, input, by, ceil, count);
  };
  return record("avg_pool2d", kernels::avg_pool2d(x, window, ceil_mode, count_include_pad),
                wrt(x, back, x.shape(), window, ceil_mode, count_include_pad));
}

Tensor avg_gradient(const Tensor& g, const Shape& input, const Window2d& window, bool ceil_mode, bool count_include_pad) {
  const auto back = [](const Tensor& gg, const Window2d& by, bool ceil, bool count) { return average(gg, by, ceil, count); };
  return record("avg_pool2d_gradient", kernels::avg_pool2d_grad(g, input, window, count_include_pad),
                wrt(g, back, window, ceil_mode, count_include_pad));
}

}  // namespace

Tensor max_pool2d(const Tensor& x, Pair kernel, const Pool2dOptions& options) {
  const Window2d window = window_of("max_pool2d", x, kernel, options);
  const kernels::Pooled pooled = kernels::max_pool2d(x, window, options.ceil_mode);
  const auto back = [](const Tensor& g, const Tensor& indices, const Shape& input, const Window2d& by) { return scatter(g, indices, input, by); };
  return record("max_pool2d", pooled.values, wrt(x, back, pooled.indices, x.shape(), window));
}

Tensor avg_pool2d(const Tensor& x, Pair kernel, const Pool2dOptions& options, bool count_include_pad) {
  return average(x, window_of("avg_pool2d", x, kernel, options), options.ceil_mode, count_include_pad);
}

}  // namespace scry
