#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/convert.hpp>
#include <scry/core/kernels/map.hpp>

namespace scry::kernels {
namespace {

// Integers are computed without a sign, so that they wrap around instead of overflowing.
template <class T>
using Wrapping = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;

template <class F>
Tensor binary(std::string_view op, const Tensor& a, const Tensor& b, const F& f) {
  return dispatch(a.dtype(), [&]<class T>() {
    using W = Wrapping<T>;
    return elementwise(broadcast_shapes(op, a.shape(), b.shape()), a.dtype(), {&a, &b}, loop<F, W, W, W>, &f);
  });
}

// The number in an element type; integers wrap around, as they do in the sums and products that it goes into.
template <class T>
T number_as(double number) {
  if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, bool>)
    return static_cast<T>(number);
  else
    return static_cast<T>(convert<int64_t>(number));
}

// make(s) turns the number, in the tensor's type, into a callable of one element.
template <class Make>
Tensor with_number(const Tensor& x, double number, const Make& make) {
  return dispatch(x.dtype(), [&]<class T>() {
    using W = Wrapping<T>;
    const auto f = make(number_as<W>(number));
    return elementwise(x.shape(), x.dtype(), {&x}, loop<std::remove_const_t<decltype(f)>, W, W>, &f);
  });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  return binary("add", a, b, [](auto x, auto y) { return x + y; });
}
Tensor sub(const Tensor& a, const Tensor& b) {
  return binary("sub", a, b, [](auto x, auto y) { return x - y; });
}
Tensor mul(const Tensor& a, const Tensor& b) {
  return binary("mul", a, b, [](auto x, auto y) { return x * y; });
}
Tensor div(const Tensor& a, const Tensor& b) {
  return dispatch_floating("div", a.dtype(), [&]<class T>() { return map<T, T>("div", a, b, [](auto x, auto y) { return x / y; }); });
}

Tensor add(const Tensor& a, double b) {
  return with_number(a, b, [](auto s) { return [s](auto x) { return x + s; }; });
}
Tensor mul(const Tensor& a, double b) {
  return with_number(a, b, [](auto s) { return [s](auto x) { return x * s; }; });
}
Tensor sub(double a, const Tensor& b) {
  return with_number(b, a, [](auto s) { return [s](auto x) { return s - x; }; });
}
Tensor div(const Tensor& a, double b) {
  return dispatch_floating("div", a.dtype(), [&]<class T>() { return map<T, T>(a, [s = static_cast<T>(b)](auto x) { return x / s; }); });
}
Tensor div(double a, const Tensor& b) {
  return dispatch_floating("div", b.dtype(), [&]<class T>() { return map<T, T>(b, [s = static_cast<T>(a)](auto x) { return s / x; }); });
}

Tensor neg(const Tensor& x) { return mul(x, -1); }

void add_into(const Tensor& a, const Tensor& b) {
  dispatch(a.dtype(), [&]<class T>() {
    using W = Wrapping<T>;
    const auto f = [](auto x, auto y) { return x + y; };
    elementwise_into(a, {&a, &b}, loop<decltype(f), W, W, W>, &f);
  });
}

}  // namespace scry::kernels
