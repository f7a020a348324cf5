#include <scry/core/creation.hpp>
#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/mask.hpp>

namespace scry::kernels {

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  const Tensor single = full({}, value, x.dtype());  // converted as elsewhere
  return dispatch(x.dtype(), [&]<class T>() {
    const auto f = [fill = *static_cast<const T*>(single.raw())](T element, bool masked) { return masked ? fill : element; };
    return elementwise(broadcast_shapes("masked_fill", x.shape(), mask.shape()), x.dtype(), {&x, &mask}, loop<decltype(f), T, T, bool>, &f);
  });
}

Tensor matches(const Tensor& a, const Tensor& b, bool equal) {
  return map<bool, int64_t>("matches", a, b, [equal](int64_t x, int64_t y) { return (x == y) == equal; });
}

}  // namespace scry::kernels
