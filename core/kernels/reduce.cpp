#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reducers.hpp>
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

template <class T>
struct Product {
  using Acc = Wide<T>;
  Acc identity() const { return 1; }
  Acc take(Acc product, T value) const { return product * static_cast<Acc>(value); }
  Acc merge(Acc a, Acc b) const { return a * b; }
};

// Whether any element is zero, or any is not.
template <bool zero>
struct Any {
  using Acc = uint32_t;  // a bool would keep the loops out of registers
  Acc identity() const { return 0; }
  template <class T>
  Acc take(Acc so_far, T value) const {
    return so_far | ((value == T{0}) == zero ? 1u : 0u);
  }
  Acc merge(Acc a, Acc b) const { return a | b; }
};

// The reduction, each accumulator turned into a result by `finish`.
template <class Out, class T, class R, class Finish>
Tensor reduced(const Tensor& x, uint32_t mask, bool keepdim, const R& reducer, const Finish& finish) {
  Tensor out = Tensor::empty(reduced_shape(x.shape(), mask, keepdim), dtype_of<Out>());
  auto* values = static_cast<Out*>(out.raw());
  if constexpr (std::is_same_v<Out, typename R::Acc> && std::is_same_v<Finish, std::identity>) {
    reduce<T>(x, mask, reducer, values);
  } else {
    const memory::Scratch<typename R::Acc> accumulators(out.numel());
    reduce<T>(x, mask, reducer, accumulators.data());
    parallel_for(out.numel(), detail::piece_elements, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[i] = static_cast<Out>(finish(accumulators[i]));
    });
  }
  return out;
}

template <class Out, class T, class R>
Tensor reduced(const Tensor& x, uint32_t mask, bool keepdim, const R& reducer) {
  return reduced<Out, T>(x, mask, keepdim, reducer, std::identity{});
}

// For bools, the largest and smallest elements are any and all.
template <bool largest>
Tensor extreme(const Tensor& x, uint32_t mask, bool keepdim) {
  if (x.dtype() == boolean) return largest ? any(x, mask, keepdim) : all(x, mask, keepdim);
  return dispatch(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      return Tensor();
    else
      return reduced<T, T>(x, mask, keepdim, Extreme<T, largest>{});
  });
}

}  // namespace

Tensor count_nonzero(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch(x.dtype(), [&]<class T>() { return reduced<int64_t, T>(x, mask, keepdim, sum_of<int64_t>([](T v) { return v != T{0}; })); });
}

Tensor any(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch(x.dtype(), [&]<class T>() { return reduced<bool, T>(x, mask, keepdim, Any<false>{}); });
}

Tensor all(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch(x.dtype(), [&]<class T>() { return reduced<bool, T>(x, mask, keepdim, Any<true>{}, [](uint32_t zero) { return !zero; }); });
}

Tensor sum(const Tensor& x, uint32_t mask, bool keepdim) {
  if (x.dtype() == boolean) return count_nonzero(x, mask, keepdim);
  return dispatch(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      return Tensor();
    else
      return reduced<Result<T>, T>(x, mask, keepdim, Total<Wide<T>>{});
  });
}

Tensor prod(const Tensor& x, uint32_t mask, bool keepdim) {
  if (x.dtype() < i64) return prod(cast(x, i64), mask, keepdim);
  if (x.dtype() == i64) return reduced<int64_t, int64_t>(x, mask, keepdim, Product<int64_t>{});
  return dispatch_floating("prod", x.dtype(), [&]<class T>() { return reduced<T, T>(x, mask, keepdim, Product<T>{}); });
}

Tensor amax(const Tensor& x, uint32_t mask, bool keepdim) { return extreme<true>(x, mask, keepdim); }
Tensor amin(const Tensor& x, uint32_t mask, bool keepdim) { return extreme<false>(x, mask, keepdim); }

Tensor norm(const Tensor& x, double p, uint32_t mask, bool keepdim) {
  if (p == 0) return cast(count_nonzero(x, mask, keepdim), x.dtype());
  return dispatch_floating("norm", x.dtype(), [&]<class T>() {
    const auto sums = [&](const auto& f, const auto& root) { return reduced<T, T>(x, mask, keepdim, sum_of<double>(f), root); };
    if (p == 1) return sums([](T v) { return std::abs(v); }, [](double s) { return s; });
    if (p == 2) return sums([](T v) { return static_cast<double>(v) * static_cast<double>(v); }, [](double s) { return std::sqrt(s); });
    return sums([p](T v) { return std::pow(std::abs(static_cast<double>(v)), p); }, [p](double s) { return std::pow(s, 1 / p); });
  });
}

Tensor var(const Tensor& x, uint32_t mask, double correction, bool keepdim) {
  return dispatch_floating("var", x.dtype(), [&]<class T>() {
    return reduced<T, T>(x, mask, keepdim, Moments{}, [=](const Moments::Acc& acc) {
      return acc.count == 0 ? std::numeric_limits<double>::quiet_NaN() : acc.squares / std::max(0.0, acc.count - correction);
    });
  });
}

namespace {

// Fills `indices`, one for each of `columns` neighbours, from `length` rows.
template <class T>
void find_first(const T* data, const T* values, int64_t columns, int64_t length, int64_t stride, int64_t* indices) {
  constexpr int64_t run = 256;
  const auto same = [](T a, T b) { return (a == b) | ((a != a) & (b != b)); };
  if (columns == 1) {
    const T value = *values;
    int64_t at = 0;
    for (bool found = false; stride == 1 && !found && at + run <= length; at += found ? 0 : run) {
      uint32_t hits = 0;
      for (int64_t l = 0; l < run; ++l) hits |= same(data[at + l], value) ? 1u : 0u;
      found = hits;
    }
    while (at < length - 1 && !same(data[at * stride], value)) ++at;
    *indices = at;
    return;
  }
  std::fill_n(indices, columns, int64_t{0});
  for (int64_t j = length; j-- > 0;)
    for (int64_t c = 0; c < columns; ++c) indices[c] = same(data[j * stride + c], values[c]) ? j : indices[c];
}

}  // namespace

Tensor first_index(const Tensor& x, const Tensor& values, int axis) {
  Tensor out = Tensor::empty(values.shape(), i64);
  if (out.numel() == 0) return out;
  auto* indices = static_cast<int64_t*>(out.raw());
  const ReducePlan plan(x, 1u << axis);
  const int64_t length = x.shape()[axis], stride = x.strides()[axis];
  const bool by_columns = plan.kept.inner_stride() == 1 && plan.kept.inner_size() > 1;
  const int64_t run = by_columns ? plan.kept.inner_size() : 1, width = std::min(run, detail::column_block), blocks = (run + width - 1) / width;
  const int64_t items = plan.kept.count / run * blocks;
  dispatch(x.dtype(), [&]<class T>() {
    parallel_for(items, std::max<int64_t>(1, detail::piece_elements / std::max<int64_t>(length * width, 1)), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t index = i / blocks * run + i % blocks * width;
        find_first(static_cast<const T*>(x.raw()) + plan.kept.offset(index), static_cast<const T*>(values.raw()) + index,
                   std::min(width, run - i % blocks * width), length, stride, indices + index);
      }
    });
  });
  return out;
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
