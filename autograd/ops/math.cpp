#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/pointwise.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <cmath>
#include <numbers>

namespace scry {

using namespace functions;
using autograd::fused;
using autograd::Pointwise;
using autograd::wrt;

namespace {

constexpr double ln2 = std::numbers::ln2, two_by_root_pi = 2 * std::numbers::inv_sqrtpi;

// Functions in steps: no gradient flows.
template <class F>
Tensor record_step(const char* op, const Tensor& x, const F& f) {
  autograd::require_defined(op, x);
  if (!is_floating(x.dtype())) return x;
  return autograd::record(op)(autograd::apply_formula(op, x, f), wrt(x, [](const Tensor& g) { return g * 0; }));
}

}  // namespace

Tensor exp(const Tensor& x) {
  return Pointwise("exp", x, [](auto v) { return exp(v); }).by_output([](auto g, auto y) { return g * y; });
}
Tensor exp2(const Tensor& x) {
  return Pointwise("exp2", x, [](auto v) { return exp2(v); }).by_output([](auto g, auto y) { return g * (y * like(y, ln2)); });
}
Tensor expm1(const Tensor& x) {
  return Pointwise("expm1", x, [](auto v) { return expm1(v); }).by_output([](auto g, auto y) { return g * (y + 1); });
}
Tensor log(const Tensor& x) {
  return Pointwise("log", x, [](auto v) { return log(v); }).by_input([](auto g, auto v) { return g / v; });
}
Tensor log1p(const Tensor& x) {
  return Pointwise("log1p", x, [](auto v) { return log1p(v); }).by_input([](auto g, auto v) { return g / (v + 1); });
}
Tensor log2(const Tensor& x) {
  return Pointwise("log2", x, [](auto v) { return log2(v); }).by_input([](auto g, auto v) { return g / (v * like(v, ln2)); });
}
Tensor sqrt(const Tensor& x) {
  return Pointwise("sqrt", x, [](auto v) { return sqrt(v); }).by_output([](auto g, auto y) { return g / (2 * y); });
}
Tensor rsqrt(const Tensor& x) {
  return Pointwise("rsqrt", x, [](auto v) { return 1 / sqrt(v); }).by_output([](auto g, auto y) { return g * (y * y * y) / -2; });
}
Tensor erf(const Tensor& x) {
  return Pointwise("erf", x, [](auto v) { return erf(v); }).by_input([](auto g, auto v) { return g * (like(v, two_by_root_pi) * exp(-(v * v))); });
}
Tensor erfc(const Tensor& x) {
  return Pointwise("erfc", x, [](auto v) { return erfc(v); }).by_input([](auto g, auto v) { return g * (like(v, -two_by_root_pi) * exp(-(v * v))); });
}
Tensor sin(const Tensor& x) {
  return Pointwise("sin", x, [](auto v) { return sin(v); }).by_input([](auto g, auto v) { return g * cos(v); });
}
Tensor cos(const Tensor& x) {
  return Pointwise("cos", x, [](auto v) { return cos(v); }).by_input([](auto g, auto v) { return -(g * sin(v)); });
}
Tensor tan(const Tensor& x) {
  return Pointwise("tan", x, [](auto v) { return tan(v); }).by_output([](auto g, auto y) { return g * (1 + y * y); });
}
Tensor asin(const Tensor& x) {
  return Pointwise("asin", x, [](auto v) { return asin(v); }).by_input([](auto g, auto v) { return g / sqrt((1 - v) * (1 + v)); });
}
Tensor acos(const Tensor& x) {
  return Pointwise("acos", x, [](auto v) { return acos(v); }).by_input([](auto g, auto v) { return -(g / sqrt((1 - v) * (1 + v))); });
}
Tensor atan(const Tensor& x) {
  return Pointwise("atan", x, [](auto v) { return atan(v); }).by_input([](auto g, auto v) { return g / (1 + v * v); });
}
Tensor sinh(const Tensor& x) {
  return Pointwise("sinh", x, [](auto v) { return sinh(v); }).by_input([](auto g, auto v) { return g * cosh(v); });
}
Tensor cosh(const Tensor& x) {
  return Pointwise("cosh", x, [](auto v) { return cosh(v); }).by_input([](auto g, auto v) { return g * sinh(v); });
}
Tensor tanh(const Tensor& x) {
  return Pointwise("tanh", x, [](auto v) { return tanh(v); }).by_output([](auto g, auto y) { return g * (1 - y * y); });
}
Tensor asinh(const Tensor& x) {
  return Pointwise("asinh", x, [](auto v) { return asinh(v); }).by_input([](auto g, auto v) { return g / sqrt(v * v + 1); });
}
Tensor acosh(const Tensor& x) {
  return Pointwise("acosh", x, [](auto v) { return acosh(v); }).by_input([](auto g, auto v) { return g / sqrt((v - 1) * (v + 1)); });
}
Tensor atanh(const Tensor& x) {
  return Pointwise("atanh", x, [](auto v) { return atanh(v); }).by_input([](auto g, auto v) { return g / ((1 - v) * (1 + v)); });
}
Tensor sigmoid(const Tensor& x) {
  return Pointwise("sigmoid", x, [](auto v) { return sigmoid(v); }).by_output([](auto g, auto y) { return g * (y * (1 - y)); });
}
Tensor square(const Tensor& x) {
  autograd::require_defined("square", x);
  if (!is_floating(x.dtype())) return x * x;
  return Pointwise("square", x, [](auto v) { return v * v; }).by_input([](auto g, auto v) { return g * (2 * v); });
}
Tensor abs(const Tensor& x) {
  autograd::require_defined("abs", x);
  if (!is_floating(x.dtype())) return x.dtype() == i64 ? maximum(x, -x) : x;
  return Pointwise("abs", x, [](auto v) { return abs(v); }).by_input([](auto g, auto v) {
    return where(gt(v, 0), g, where(lt(v, 0), -g, like(g, 0)));
  });
}
Tensor sign(const Tensor& x) {
  autograd::require_defined("sign", x);
  if (!is_floating(x.dtype())) return minimum(maximum(x, -1), 1);
  return record_step("sign", x, [](auto v) { return where(gt(v, 0), like(v, 1), where(lt(v, 0), like(v, -1), v)); });
}
Tensor floor(const Tensor& x) {
  return record_step("floor", x, [](auto v) { return floor(v); });
}
Tensor ceil(const Tensor& x) {
  return record_step("ceil", x, [](auto v) { return ceil(v); });
}
Tensor round(const Tensor& x) {
  return record_step("round", x, [](auto v) { return xsimd::nearbyint(v); });
}
Tensor trunc(const Tensor& x) {
  return record_step("trunc", x, [](auto v) { return trunc(v); });
}

Tensor atan2(const Tensor& y, const Tensor& x) {
  const autograd::Recorder recorder = autograd::record("atan2");
  autograd::require_floating("atan2", y);
  autograd::require_floating("atan2", x);
  autograd::require_same_dtype("atan2", y, x);
  Tensor angle =
      dispatch_floating("atan2", y.dtype(), [&]<class T>() { return kernels::map<T, T>("atan2", y, x, [](T a, T b) { return std::atan2(a, b); }); });
  const auto by_y = fused([](auto g, auto a, auto b) { return g * (b / (a * a + b * b)); });
  const auto by_x = fused([](auto g, auto a, auto b) { return g * (-a / (a * a + b * b)); });
  return recorder(angle, wrt(y, by_y, y, x), wrt(x, by_x, y, x));
}

namespace {

// The rest of an integer division; the one quotient that doesn't fit leaves none either.
template <class T>
T integer_rest(T a, T b, bool rounds_down) {
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  const T rest = static_cast<T>(a % b);
  return rounds_down && rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
}

template <class T>
T rest_of(T a, T b, bool rounds_down) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(a, b);
    if (!rounds_down || std::isnan(rest)) return rest;
    if (rest == 0) return std::copysign(rest, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
  } else if constexpr (std::is_same_v<T, bool>) {
    return false;
  } else {
    return integer_rest(a, b, rounds_down);
  }
}

template <class Quotient>
Tensor record_rest(const char* op, const Tensor& a, const Tensor& b, bool rounds_down, const Quotient& quotient) {
  const autograd::Recorder recorder = autograd::record(op);
  autograd::require_both(op, a, b);
  const DType common = std::max(promote(a.dtype(), b.dtype()), u8);
  const Tensor x = cast(a, common), y = cast(b, common);
  if (!is_floating(common))
    require(y.numel() == 0 || kernels::sum(eq(y, 0), (1u << y.rank()) - 1, false).item() == 0, op, ": an element of the divisor is 0");
  Tensor rest =
      dispatch(common, [&]<class T>() { return kernels::map<T, T>(op, x, y, [rounds_down](T v, T w) { return rest_of(v, w, rounds_down); }); });
  const auto of_divisor = [quotient](const Tensor& g, const Tensor& v, const Tensor& w) { return -(g * quotient(v / w)); };
  return recorder(rest, wrt(x, [](const Tensor& g) { return g; }), wrt(y, of_divisor, x, y));
}

}  // namespace

Tensor fmod(const Tensor& a, const Tensor& b) {
  return record_rest("fmod", a, b, false, [](const Tensor& x) { return trunc(x); });
}
Tensor remainder(const Tensor& a, const Tensor& b) {
  return record_rest("remainder", a, b, true, [](const Tensor& x) { return floor(x); });
}

}  // namespace scry
