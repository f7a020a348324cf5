#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reducers.hpp>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace scry::kernels {

namespace {

// Floats are accumulated in double, the rest modulo 2^64.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
template <class T>
using Result = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;

// Bools are bytes of 0 and 1 to reductions.
template <class F>
Tensor by_number(const Tensor& x, const F& f) {
  if (x.dtype() == boolean) return f.template operator()<uint8_t>();
  return dispatch(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      return Tensor();
    else
      return f.template operator()<T>();
  });
}

// The reduction to states of one part, each turned into a result by `finish`.
template <class Out, class T, class R, class F>
Tensor reduced(const Tensor& x, uint32_t mask, bool keepdim, const R& reducer, const F& finish, DType dtype = dtype_of<Out>()) {
  Tensor out = Tensor::empty(reduced_shape(x.shape(), mask, keepdim), dtype);
  auto* values = static_cast<Out*>(out.raw());
  reduce<T>(x, mask, reducer, [&](const typename R::Number* states, int64_t, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; ++i) values[first + i] = static_cast<Out>(finish(states[i]));
  });
  return out;
}

// Of the number of elements that aren't zero.
template <class Out, class F>
Tensor counted(const Tensor& x, uint32_t mask, bool keepdim, const F& finish) {
  return by_number(x, [&]<class T>() { return reduced<Out, T>(x, mask, keepdim, Nonzero{}, finish); });
}

Tensor extreme(const Tensor& x, uint32_t mask, bool keepdim, bool largest) {
  return by_number(x, [&]<class T>() {
    const Extreme<T> reducer{largest};
    return reduced<T, T>(
        x, mask, keepdim, reducer, [&](T value) { return reducer.ordered(value); }, x.dtype());
  });
}

int64_t reduced_size(const Tensor& x, uint32_t mask) {
  int64_t size = 1;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (mask >> axis & 1) size *= x.shape()[axis];
  return size;
}

// |x|^p; the power of a lane is that of a number.
struct Power {
  double p;
  double operator()(double value) const { return std::pow(std::abs(value), p); }
  template <class V>
  V operator()(V value) const {
    for (size_t i = 0; i < sizeof value / sizeof value[0]; ++i) value[i] = (*this)(value[i]);
    return value;
  }
};

}  // namespace

Tensor count_nonzero(const Tensor& x, uint32_t mask, bool keepdim) { return counted<int64_t>(x, mask, keepdim, std::identity()); }

Tensor any(const Tensor& x, uint32_t mask, bool keepdim) {
  return counted<bool>(x, mask, keepdim, [](int64_t count) { return count > 0; });
}

Tensor all(const Tensor& x, uint32_t mask, bool keepdim) {
  return counted<bool>(x, mask, keepdim, [size = reduced_size(x, mask)](int64_t count) { return count == size; });
}

Tensor sum(const Tensor& x, uint32_t mask, bool keepdim) {
  return by_number(x, [&]<class T>() { return reduced<Result<T>, T>(x, mask, keepdim, SumOf<Wide<T>, Identity>{}, std::identity()); });
}

Tensor prod(const Tensor& x, uint32_t mask, bool keepdim) {
  if (x.dtype() < i64) return prod(cast(x, i64), mask, keepdim);
  if (x.dtype() == i64) return reduced<int64_t, int64_t>(x, mask, keepdim, Product<uint64_t>{}, std::identity());
  return dispatch_floating("prod", x.dtype(), [&]<class T>() { return reduced<T, T>(x, mask, keepdim, Product<double>{}, std::identity()); });
}

Tensor amax(const Tensor& x, uint32_t mask, bool keepdim) { return extreme(x, mask, keepdim, true); }
Tensor amin(const Tensor& x, uint32_t mask, bool keepdim) { return extreme(x, mask, keepdim, false); }

Extremes extremes_along(const Tensor& x, int axis, bool largest) {
  const bool small = size_of(x.dtype()) == 1;
  if (small || (x.dtype() == f32 && x.shape()[axis] > std::numeric_limits<int32_t>::max())) {  // whose places an element's bits can't count
    const Extremes wide = extremes_along(cast(x, small ? f32 : f64), axis, largest);
    return {cast(wide.values, x.dtype()), wide.indices};
  }
  const Tensor indices = Tensor::empty(reduced_shape(x.shape(), 1u << axis, false), i64);
  auto* places = static_cast<int64_t*>(indices.raw());
  const auto values = [&]<class T>() {
    const ExtremeAt<T> reducer{Extreme<T>(largest)};
    const Tensor out = Tensor::empty(indices.shape(), x.dtype());
    auto* best = static_cast<T*>(out.raw());
    reduce<T>(x, 1u << axis, reducer, [&](const T* states, int64_t pitch, int64_t first, int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        best[first + i] = reducer.extreme.ordered(states[i]);
        places[first + i] = std::bit_cast<typename ExtremeAt<T>::Place>(states[pitch + i]);
      }
    });
    return out;
  };
  if (x.dtype() == i64) return {values.template operator()<int64_t>(), indices};
  return {dispatch_floating("extremes_along", x.dtype(), values), indices};
}

Tensor norm(const Tensor& x, double p, uint32_t mask, bool keepdim) {
  if (p == 0) return cast(count_nonzero(x, mask, keepdim), x.dtype());
  return dispatch_floating("norm", x.dtype(), [&]<class T>() {
    if (p == 1) return reduced<T, T>(x, mask, keepdim, SumOf<double, Magnitude>{}, std::identity());
    if (p == 2) return reduced<T, T>(x, mask, keepdim, SumOf<double, Square>{}, [](double s) { return std::sqrt(s); });
    return reduced<T, T>(x, mask, keepdim, SumOf<double, Power>{{p}}, [p](double s) { return std::pow(s, 1 / p); });
  });
}

Tensor var(const Tensor& x, uint32_t mask, double correction, bool keepdim) {
  return dispatch_floating("var", x.dtype(), [&]<class T>() {
    Tensor out = Tensor::empty(reduced_shape(x.shape(), mask, keepdim), x.dtype());
    const auto size = static_cast<double>(reduced_size(x, mask));
    const double share = 1 / size, scale = 1 / std::max(0.0, size - correction);
    reduce<T>(x, mask, Moments{}, [&, values = static_cast<T*>(out.raw())](const double* from, int64_t pitch, int64_t first, int64_t count) {
      const double *sum = from + pitch, *squares = sum + pitch;
      for (int64_t i = 0; i < count; ++i) values[first + i] = static_cast<T>((squares[i] - sum[i] * sum[i] * share) * scale);
    });
    return out;
  });
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int lead = x.rank() - shape.rank();
  uint32_t mask = 0;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (axis < lead || (shape[axis - lead] == 1 && x.shape()[axis] != 1)) mask |= 1u << axis;
  const Tensor sums = sum(x, mask, true);
  return Tensor::view(sums.node().storage, sums.node().offset, shape, row_major_strides(shape), sums.dtype());
}

}  // namespace scry::kernels
