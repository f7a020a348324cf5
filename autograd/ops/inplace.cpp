#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/inplace.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/map.hpp>

namespace scry {
namespace {

// The first byte of a tensor and the one after its last.
std::pair<const std::byte*, const std::byte*> extent(const Tensor& x) {
  int64_t first = 0, last = 0;
  for (int i = 0; i < x.rank(); ++i) (x.strides()[i] < 0 ? first : last) += (x.shape()[i] - 1) * x.strides()[i];
  const auto size = static_cast<int64_t>(size_of(x.dtype()));
  const auto* data = static_cast<const std::byte*>(x.raw());
  return {data + first * size, data + (last + 1) * size};
}

bool overlap(const Tensor& x, const Tensor& y) {
  if (x.numel() == 0 || y.numel() == 0) return false;
  const auto [x_begin, x_end] = extent(x);
  const auto [y_begin, y_end] = extent(y);
  return x_begin < y_end && y_begin < x_end;
}

// Whether each element has a place of its own.
bool has_own_places(const Tensor& x) {
  for (int i = 0; i < x.rank(); ++i)
    if (x.strides()[i] == 0 && x.shape()[i] > 1) return false;
  return true;
}

void require_writable(std::string_view op, const Tensor& x) {
  autograd::require_defined(op, x);
  require(!x.requires_grad() || autograd::leaf_of(x), op, ": the tensor of shape ", x.shape(),
          " was computed on the tape, or is a view of one that is; use the op that returns a new tensor, or detach() and clone() it first");
  require(!x.requires_grad() || !grad_enabled(), op, ": the tensor of shape ", x.shape(), " requires a gradient; change it under NoGrad");
  require(has_own_places(x), op, ": elements of the tensor of shape ", x.shape(), " share memory, as expand() makes them; clone it first");
}

void require_operand(std::string_view op, const Tensor& x, const Tensor& y) {
  require_writable(op, x);
  require(y.defined(), op, ": the second tensor is undefined");
  require(!y.requires_grad() || !grad_enabled(), op, ": the second tensor, of shape ", y.shape(),
          ", requires a gradient, which ops in place don't record; use the op that returns a new tensor, or NoGrad");
  require(broadcast_shapes(op, x.shape(), y.shape()) == x.shape(), op, ": shape ", y.shape(), " does not broadcast to ", x.shape());
}

void require_type(std::string_view op, DType to, DType from) {
  require(is_floating(to) || promote(to, from) == to || (to == u8 && from == i64), op, ": ", from, " values don't go into a tensor of ", to,
          "; cast one of them");
}

// `y` as the tensor's own type, and where it can be read while x is written.
Tensor readable(const Tensor& x, const Tensor& y) {
  const Tensor converted = kernels::cast(y, x.dtype());
  const bool same = converted.raw() == x.raw() && converted.shape() == x.shape() && converted.strides() == x.strides();
  return !same && overlap(x, converted) ? kernels::clone(converted) : converted;
}

template <class F>
const Tensor& update(std::string_view op, const Tensor& x, const Tensor& y, const F& f) {
  require_operand(op, x, y);
  require_type(op, x.dtype(), y.dtype());
  require(x.dtype() != boolean, op, ": a tensor of bool holds no sums or products; cast it");
  const Tensor other = readable(x, y);
  x.node().storage->bump_version();
  dispatch(x.dtype(), [&]<class T>() {
    const auto typed = [&f](auto v, auto w) { return f(v, w); };
    using W = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;  // integers wrap around
    kernels::elementwise_into(x, {&x, &other}, kernels::loop<decltype(typed), W, W, W>, &typed);
  });
  return x;
}

Tensor scaled(const Tensor& y, double alpha) { return alpha == 1 || !y.defined() ? y : y.detach() * alpha; }

const Tensor& fill_named(std::string_view op, const Tensor& x, double value) {
  require_writable(op, x);
  x.node().storage->bump_version();
  kernels::fill(x, value);
  return x;
}

// x = f(x), computed beside it.
template <class F>
const Tensor& replace(std::string_view op, const Tensor& x, const F& f) {
  require_writable(op, x);
  const Tensor y = f(x.detach());
  require_type(op, x.dtype(), y.dtype());
  x.node().storage->bump_version();
  kernels::copy_into(x, y);
  return x;
}
// Chooses among functions of one name.
const Tensor& replace(std::string_view op, const Tensor& x, Tensor (*f)(const Tensor&)) {
  return replace(op, x, [f](const Tensor& v) { return f(v); });
}

}  // namespace

const Tensor& add_(const Tensor& x, const Tensor& y, double alpha) {
  if (alpha != 1) require_operand("add_", x, y);
  return update("add_", x, scaled(y, alpha), [](auto v, auto w) { return v + w; });
}
const Tensor& sub_(const Tensor& x, const Tensor& y, double alpha) {
  if (alpha != 1) require_operand("sub_", x, y);
  return update("sub_", x, scaled(y, alpha), [](auto v, auto w) { return v - w; });
}
const Tensor& mul_(const Tensor& x, const Tensor& y) {
  return update("mul_", x, y, [](auto v, auto w) { return v * w; });
}
const Tensor& div_(const Tensor& x, const Tensor& y) {
  autograd::require_floating("div_", x);
  return update("div_", x, y, []<class V>(const V& v, const V& w) {
    if constexpr (std::is_integral_v<V>)
      return v;  // not reached: only floats are divided
    else
      return v / w;
  });
}
const Tensor& add_(const Tensor& x, double y) { return add_(x, autograd::beside("add_", x, y)); }
const Tensor& sub_(const Tensor& x, double y) { return sub_(x, autograd::beside("sub_", x, y)); }
const Tensor& mul_(const Tensor& x, double y) { return mul_(x, autograd::beside("mul_", x, y)); }
const Tensor& div_(const Tensor& x, double y) { return div_(x, autograd::beside("div_", x, y)); }

const Tensor& copy_(const Tensor& x, const Tensor& y) {
  require_operand("copy_", x, y);
  const Tensor other = readable(x, y);
  x.node().storage->bump_version();
  kernels::copy_into(x, other);
  return x;
}

const Tensor& fill_(const Tensor& x, double value) { return fill_named("fill_", x, value); }
const Tensor& zero_(const Tensor& x) { return fill_named("zero_", x, 0); }

const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, double value) {
  require_operand("masked_fill_", x, mask);
  return replace("masked_fill_", x, [&](const Tensor& v) { return where(mask, value, v); });
}

const Tensor& clamp_(const Tensor& x, std::optional<double> low, std::optional<double> high) {
  return replace("clamp_", x, [&](const Tensor& v) { return clamp(v, low, high); });
}
const Tensor& pow_(const Tensor& x, double exponent) {
  return replace("pow_", x, [&](const Tensor& v) { return pow(v, exponent); });
}
const Tensor& neg_(const Tensor& x) { return replace("neg_", x, neg); }
const Tensor& abs_(const Tensor& x) { return replace("abs_", x, abs); }
const Tensor& square_(const Tensor& x) { return replace("square_", x, square); }
const Tensor& exp_(const Tensor& x) { return replace("exp_", x, exp); }
const Tensor& log_(const Tensor& x) { return replace("log_", x, log); }
const Tensor& sqrt_(const Tensor& x) { return replace("sqrt_", x, sqrt); }
const Tensor& relu_(const Tensor& x) { return replace("relu_", x, relu); }
const Tensor& sigmoid_(const Tensor& x) { return replace("sigmoid_", x, sigmoid); }
const Tensor& tanh_(const Tensor& x) { return replace("tanh_", x, tanh); }

}  // namespace scry
