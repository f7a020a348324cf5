#include <scry/core/kernels/functions.hpp>
#include <scry/core/kernels/math.hpp>

namespace scry::kernels {
namespace {

template <class F>
Tensor floating(std::string_view op, const Tensor& x, const F& f) {
  return dispatch_floating(op, x.dtype(), [&]<class T>() { return map<T, T>(x, f); });
}

}  // namespace

Tensor exp(const Tensor& x) {
  return floating("exp", x, [](auto v) { return functions::exp(v); });
}
Tensor log(const Tensor& x) {
  return floating("log", x, [](auto v) { return functions::log(v); });
}
Tensor sqrt(const Tensor& x) {
  return floating("sqrt", x, [](auto v) { return functions::sqrt(v); });
}
Tensor tanh(const Tensor& x) {
  return floating("tanh", x, [](auto v) { return functions::tanh(v); });
}
Tensor sigmoid(const Tensor& x) {
  return floating("sigmoid", x, [](auto v) { return functions::sigmoid(v); });
}
Tensor relu(const Tensor& x) {
  return floating("relu", x, [](auto v) { return functions::maximum(v, 0); });
}
Tensor relu_gradient(const Tensor& g, const Tensor& y) {
  return dispatch_floating("relu", g.dtype(), [&]<class T>() {
    return map<T, T>("relu", g, y,
                     [](auto gradient, auto out) { return functions::where(functions::le(out, 0), functions::like(out, 0), gradient); });
  });
}

}  // namespace scry::kernels
