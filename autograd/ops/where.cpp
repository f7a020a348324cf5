#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/pointwise.hpp>
#include <scry/core/kernels/convert.hpp>
#include <limits>

namespace scry {

using namespace functions;
using autograd::fused;
using autograd::record;
using autograd::wrt;

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const autograd::Recorder recorder = autograd::record("where");
  require(condition.defined() && a.defined() && b.defined(), "where: an undefined tensor");
  require(condition.dtype() == boolean, "where: the condition must be bool, got ", condition.dtype(), " of shape ", condition.shape(),
          "; compare it with something");
  const DType common = promote(a.dtype(), b.dtype());
  const Tensor x = cast(a, common), y = cast(b, common);
  const Shape shape = broadcast_shapes("where", condition.shape(), broadcast_shapes("where", x.shape(), y.shape()));
  Tensor taken = dispatch(common, [&]<class T>() {
    return kernels::map_to<T, bool, T, T>(
        shape, [](bool c, T v, T w) { return c ? v : w; }, condition, x, y);
  });
  const auto to_first = [](const Tensor& g, const Tensor& c) { return where(c, g, 0); };
  const auto to_second = [](const Tensor& g, const Tensor& c) { return where(c, 0, g); };
  return recorder(taken, wrt(x, to_first, condition), wrt(y, to_second, condition));
}
Tensor where(const Tensor& condition, const Tensor& a, double b) { return where(condition, a, autograd::beside("where", a, b)); }
Tensor where(const Tensor& condition, double a, const Tensor& b) { return where(condition, autograd::beside("where", b, a), b); }

namespace {

// The gradient of the greater one of a and b for a; that of the lesser is the same of -a and -b.
const auto to_greater = [](auto g, auto a, auto b) { return where(lt(a, b), like(g, 0), where(eq(a, b), g / 2, g)); };
const auto to_lesser = [](auto g, auto a, auto b) { return where(gt(a, b), like(g, 0), where(eq(a, b), g / 2, g)); };

template <class F, class Rule>
Tensor record_extreme(const char* op, const Tensor& a, const Tensor& b, const F& f, const Rule& rule) {
  const autograd::Recorder recorder = autograd::record(op);
  autograd::require_both(op, a, b);
  const DType common = promote(a.dtype(), b.dtype());
  const Tensor x = cast(a, common), y = cast(b, common);
  Tensor taken = dispatch(common, [&]<class T>() { return kernels::map<T, T>(op, x, y, f); });
  return recorder(taken, wrt(x, fused(rule), x, y), wrt(y, fused(rule), y, x));
}

}  // namespace

Tensor minimum(const Tensor& a, const Tensor& b) {
  return record_extreme(
      "minimum", a, b,
      []<class V>(const V& x, const V& y) {
        if constexpr (std::is_arithmetic_v<V>)
          return x < y ? x : y;
        else
          return minimum(x, y);
      },
      to_lesser);
}
Tensor maximum(const Tensor& a, const Tensor& b) {
  return record_extreme(
      "maximum", a, b,
      []<class V>(const V& x, const V& y) {
        if constexpr (std::is_arithmetic_v<V>)
          return x > y ? x : y;
        else
          return maximum(x, y);
      },
      to_greater);
}
Tensor minimum(const Tensor& a, double b) { return minimum(a, autograd::beside("minimum", a, b)); }
Tensor maximum(const Tensor& a, double b) { return maximum(a, autograd::beside("maximum", a, b)); }

Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high) {
  const autograd::Recorder recorder = autograd::record("clamp");
  autograd::require_defined("clamp", x);
  require(low || high, "clamp: expected a lower bound, an upper one, or both");
  const DType dtype = std::max(autograd::with_number(x, low.value_or(0)), autograd::with_number(x, high.value_or(0)));
  if (dtype != x.dtype()) return clamp(cast(x, dtype), low, high);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double from = low.value_or(-infinity), to = high.value_or(infinity);
  Tensor y = dispatch(dtype, [&]<class T>() {
    return kernels::map<T, T>(x, [lower = kernels::convert<T>(from), upper = kernels::convert<T>(to)]<class V>(const V& v) {
      if constexpr (std::is_arithmetic_v<V>)
        return std::min(std::max(v, lower), upper);
      else
        return minimum(maximum(v, V(lower)), V(upper));
    });
  });
  return recorder(y, wrt(x, fused([from, to](auto g, auto v) {
                           const auto inside = where(le(v, to), g, like(g, 0));
                           return where(lt(v, from), like(g, 0), inside);
                         }),
                         x));
}

}  // namespace scry
