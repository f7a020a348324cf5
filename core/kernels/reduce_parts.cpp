#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/reduce_parts.hpp>
#include <cmath>

namespace scry::kernels {

Tensor power(const Tensor& x, double exponent, bool odd) {
  return dispatch_floating("power", x.dtype(), [&]<class T>() {
    return map<T, T>(x, [exponent, odd](T v) {
      if (v == T{0}) return !odd && exponent == 0 ? T{1} : T{0};
      const T size = std::abs(v);
      const T y = exponent == 1    ? size
                  : exponent == 0  ? (v == v ? T{1} : v)
                  : exponent == -1 ? T{1} / size
                                   : static_cast<T>(std::pow(size, exponent));
      return odd ? std::copysign(y, v) : y;
    });
  });
}

Tensor equal(const Tensor& x, const Tensor& y) {
  return dispatch_floating("equal", x.dtype(), [&]<class T>() { return map<T, T>("equal", x, y, [](T a, T b) { return a == b ? T{1} : T{0}; }); });
}

}  // namespace scry::kernels
