#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/pointwise.hpp>
#include <scry/autograd/ops/power.hpp>
#include <scry/core/kernels/convert.hpp>
#include <cmath>

namespace scry {

using autograd::record;
using autograd::wrt;

namespace {

// By repeated squaring; what doesn't fit wraps around.
int64_t integer_power(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  for (auto base = static_cast<uint64_t>(a); b; b >>= 1, base *= base)
    if (b & 1) result *= base;
  return static_cast<int64_t>(result);
}

template <class T>
T power(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::pow(a, b);
  else
    return static_cast<T>(integer_power(static_cast<int64_t>(a), static_cast<int64_t>(b)));
}

Tensor to_base(const Tensor& g, const Tensor& a, const Tensor& b) {
  const Tensor safe = where(logical_and(eq(a, 0), eq(b, 0)), 1, a);
  return g * b * pow(safe, b - 1);
}

Tensor to_exponent(const Tensor& g, const Tensor& a, const Tensor& b) {
  const Tensor flat = logical_and(eq(a, 0), ge(b, 0));
  const Tensor base = where(flat, 1, a);
  return g * pow(base, b) * log(base);
}

// Common exponents are products and roots.
Tensor power_kernel(const Tensor& x, double exponent) {
  return dispatch(x.dtype(), [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      if (exponent == 2) return kernels::map<T, T>(x, [](auto v) { return v * v; });
      if (exponent == 3) return kernels::map<T, T>(x, [](auto v) { return v * v * v; });
      if (exponent == -1) return kernels::map<T, T>(x, [](auto v) { return 1 / v; });
    }
    return kernels::map<T, T>(x, [number = kernels::convert<T>(exponent)](T v) { return power(v, number); });
  });
}

}  // namespace

Tensor pow(const Tensor& a, const Tensor& b) {
  const autograd::Recorder recorder = autograd::record("pow");
  autograd::require_both("pow", a, b);
  const DType common = std::max(promote(a.dtype(), b.dtype()), u8);
  const Tensor x = cast(a, common), y = cast(b, common);
  Tensor powers = dispatch(common, [&]<class T>() { return kernels::map<T, T>("pow", x, y, [](T v, T w) { return power(v, w); }); });
  return recorder(powers, wrt(x, to_base, x, y), wrt(y, to_exponent, x, y));
}

Tensor pow(const Tensor& a, double b) {
  autograd::require_defined("pow", a);
  if (const DType dtype = autograd::with_number(a, b); dtype != a.dtype()) return pow(cast(a, dtype), b);
  const auto rule = [](const Tensor& g, const Tensor& x, double exponent) {
    return exponent == 0 ? g * 0 : exponent == 1 ? g : g * (exponent * pow(x, exponent - 1));
  };
  return record("pow")(power_kernel(a, b), wrt(a, rule, a, b));
}

Tensor pow(double a, const Tensor& b) { return pow(autograd::beside("pow", b, a), b); }

}  // namespace scry
