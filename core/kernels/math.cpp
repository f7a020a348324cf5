#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/math.hpp>
#include <limits>
#include <numbers>

namespace scry::kernels {
namespace {

template <class F>
Tensor floating(std::string_view op, const Tensor& x, const F& f) {
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return map<T, T>(x, f); });
}

}  // namespace

Tensor neg(const Tensor& x) {
  return dispatch(x.dtype(), [&]<class T>() {
    const auto f = [](auto v) {
      if constexpr (std::is_same_v<decltype(v), int64_t>)
        return static_cast<int64_t>(0 - static_cast<uint64_t>(v));  // the least number has no opposite, and stays
      else
        return -v;
    };
    return map<T, T>(x, f);
  });
}
Tensor exp(const Tensor& x) {
  return floating("exp", x, []<class V>(V v) {
    // xsimd's gives infinity before the largest number is reached, and 0 before the least.
    constexpr double narrow = std::is_same_v<typename V::value_type, float> ? 87 : 708;
    const V y = xsimd::exp(v);
    const auto far = xsimd::abs(v) > V(narrow);
    if (!xsimd::any(far)) return y;
    const V root = xsimd::exp(v * V(0.5));
    return xsimd::select(far, root * root, y);
  });
}
Tensor log(const Tensor& x) {
  return floating("log", x, []<class V>(V v) {
    // xsimd's is wrong for denormal doubles.
    using T = typename V::value_type;
    const V y = xsimd::log(v);
    const auto denormal = v < V(std::numeric_limits<T>::min());
    if (!xsimd::any(denormal)) return y;
    return xsimd::select(denormal, xsimd::log(v * V(0x1p54)) - V(static_cast<T>(54 * std::numbers::ln2)), y);
  });
}
Tensor sqrt(const Tensor& x) {
  return floating("sqrt", x, [](auto v) { return xsimd::sqrt(v); });
}
Tensor tanh(const Tensor& x) {
  return floating("tanh", x, [](auto v) { return xsimd::tanh(v); });
}
Tensor sigmoid(const Tensor& x) {
  return floating("sigmoid", x, []<class V>(V v) {
    const V e = xsimd::exp(-xsimd::abs(v)), y = V(1) / (V(1) + e);
    return xsimd::select(v < V(0), e * y, y);
  });
}

Tensor relu(const Tensor& x) {
  // The second operand of a register's max is what remains of a NaN.
  return floating("relu", x, []<class V>(V v) { return xsimd::max(V(0), v); });
}
Tensor relu_gradient(const Tensor& g, const Tensor& y) {
  return dispatch_floating("relu", g.dtype(), [&]<class T>() {
    return map<T, T>("relu", g, y, []<class V>(V gradient, V out) { return xsimd::select(out <= V(0), V(0), gradient); });
  });
}

}  // namespace scry::kernels
