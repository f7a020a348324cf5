#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/math.hpp>

namespace scry::kernels {
namespace {

template <class F>
Tensor floating(std::string_view op, const Tensor& x, const F& f) {
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return map<T, T>(x, f); });
}

}  // namespace

Tensor neg(const Tensor& x) {
  return dispatch(x.dtype(), [&]<class T>() { return map<T, T>(x, [](auto v) { return -v; }); });
}
Tensor exp(const Tensor& x) {
  return floating("exp", x, [](auto v) { return xsimd::exp(v); });
}
Tensor log(const Tensor& x) {
  return floating("log", x, [](auto v) { return xsimd::log(v); });
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
