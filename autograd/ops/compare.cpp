#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/map.hpp>
#include <cmath>
#include <functional>

namespace scry {
namespace {

using kernels::map;

template <class F>
Tensor compare(std::string_view op, const Tensor& a, const Tensor& b, const F& f) {
  autograd::require_both(op, a, b);
  const DType common = promote(a.dtype(), b.dtype());
  const Tensor x = kernels::cast(a, common), y = kernels::cast(b, common);
  return dispatch(common, [&]<class T>() { return map<bool, T>(op, x, y, [&](T v, T w) { return f(v, w); }); });
}

template <class F>
Tensor compare(std::string_view op, const Tensor& a, double b, const F& f) {
  autograd::require_defined(op, a);
  if (!is_floating(a.dtype())) {
    const bool fits = b == std::floor(b) && std::abs(b) < 0x1p63;
    const Tensor x = kernels::cast(a, fits ? i64 : f64);
    if (fits) return map<bool, int64_t>(x, [&f, n = static_cast<int64_t>(b)](int64_t v) { return f(v, n); });
    return map<bool, double>(x, [&](double v) { return f(v, b); });
  }
  return dispatch_floating(op, a.dtype(), [&]<class T>() { return map<bool, T>(a, [&f, n = static_cast<T>(b)](T v) { return f(v, n); }); });
}

template <class F>
Tensor logical(std::string_view op, const Tensor& a, const Tensor& b, const F& f) {
  autograd::require_both(op, a, b);
  return map<bool, bool>(op, kernels::cast(a, boolean), kernels::cast(b, boolean), f);
}

template <class F>
Tensor classify(std::string_view op, const Tensor& x, bool of_integers, const F& f) {
  autograd::require_defined(op, x);
  if (!is_floating(x.dtype())) return full(x.shape(), of_integers, boolean);
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return map<bool, T>(x, [&](T v) { return f(v); }); });
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", a, b, std::equal_to{}); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", a, b, std::not_equal_to{}); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", a, b, std::less{}); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", a, b, std::less_equal{}); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", a, b, std::greater{}); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", a, b, std::greater_equal{}); }
Tensor eq(const Tensor& a, double b) { return compare("eq", a, b, std::equal_to{}); }
Tensor ne(const Tensor& a, double b) { return compare("ne", a, b, std::not_equal_to{}); }
Tensor lt(const Tensor& a, double b) { return compare("lt", a, b, std::less{}); }
Tensor le(const Tensor& a, double b) { return compare("le", a, b, std::less_equal{}); }
Tensor gt(const Tensor& a, double b) { return compare("gt", a, b, std::greater{}); }
Tensor ge(const Tensor& a, double b) { return compare("ge", a, b, std::greater_equal{}); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return logical("logical_and", a, b, std::logical_and{}); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return logical("logical_or", a, b, std::logical_or{}); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return logical("logical_xor", a, b, std::not_equal_to{}); }
Tensor logical_not(const Tensor& x) {
  autograd::require_defined("logical_not", x);
  return map<bool, bool>(kernels::cast(x, boolean), std::logical_not{});
}

Tensor isnan(const Tensor& x) {
  return classify("isnan", x, false, [](auto v) { return std::isnan(v); });
}
Tensor isinf(const Tensor& x) {
  return classify("isinf", x, false, [](auto v) { return std::isinf(v); });
}
Tensor isfinite(const Tensor& x) {
  return classify("isfinite", x, true, [](auto v) { return std::isfinite(v); });
}

}  // namespace scry
