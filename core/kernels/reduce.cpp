#include <scry/core/kernels/reduce.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <limits>

namespace scry::kernels {

void Axes::add(int64_t size, int64_t stride) {
  count *= size;
  if (size == 1) return;
  const auto last = static_cast<size_t>(rank);
  if (rank > 0 && strides[last - 1] == stride * size) {
    sizes[last - 1] *= size;
    strides[last - 1] = stride;
    return;
  }
  sizes[last] = size;
  strides[last] = stride;
  ++rank;
}

int64_t Axes::offset(int64_t index) const {
  int64_t at = 0;
  for (auto axis = static_cast<size_t>(rank); axis-- > 1;) {
    at += index % sizes[axis] * strides[axis];
    index /= sizes[axis];
  }
  return rank ? at + index * strides[0] : 0;
}

ReducePlan::ReducePlan(const Tensor& x, uint32_t mask) {
  std::array<int, Shape::max_rank> order{};
  int count = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (mask >> axis & 1)
      order[static_cast<size_t>(count++)] = axis;
    else
      kept.add(x.shape()[axis], x.strides()[axis]);
  }
  std::stable_sort(order.begin(), order.begin() + count, [&](int a, int b) { return std::abs(x.strides()[a]) > std::abs(x.strides()[b]); });
  for (int i = 0; i < count; ++i) reduced.add(x.shape()[order[static_cast<size_t>(i)]], x.strides()[order[static_cast<size_t>(i)]]);
}

Shape reduced_shape(const Shape& shape, uint32_t mask, bool keepdim) {
  Shape out;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (!(mask >> axis & 1))
      out.push_back(shape[axis]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

namespace {

template <class T>
struct Sum {
  using Acc = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
  Acc identity() const { return 0; }
  Acc take(Acc sum, T value) const { return merge(sum, static_cast<Acc>(value)); }
  Acc merge(Acc a, Acc b) const {
    if constexpr (std::is_floating_point_v<T>)
      return a + b;
    else
      return static_cast<Acc>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));  // wraps around
  }
};

template <class T>
struct Max {
  using Acc = T;
  Acc identity() const { return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest(); }
  Acc take(Acc best, T value) const { return value > best || value != value ? value : best; }
  Acc merge(Acc a, Acc b) const { return take(a, b); }
};

template <class Out, class T, class R>
Tensor reduced(const Tensor& x, uint32_t mask, bool keepdim, const R& reducer) {
  Tensor out = Tensor::empty(reduced_shape(x.shape(), mask, keepdim), dtype_of<Out>());
  auto* values = static_cast<Out*>(out.raw());
  if constexpr (std::is_same_v<Out, typename R::Acc>) {
    reduce<T>(x, mask, reducer, values);
  } else {
    const memory::Scratch<typename R::Acc> sums(out.numel());
    reduce<T>(x, mask, reducer, sums.data());
    std::transform(sums.data(), sums.data() + out.numel(), values, [](auto value) { return static_cast<Out>(value); });
  }
  return out;
}

}  // namespace

Tensor sum(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch(x.dtype(), [&]<class T>() {
    using Out = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;
    return reduced<Out, T>(x, mask, keepdim, Sum<T>{});
  });
}

Tensor amax(const Tensor& x, uint32_t mask, bool keepdim) {
  return dispatch(x.dtype(), [&]<class T>() { return reduced<T, T>(x, mask, keepdim, Max<T>{}); });
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  Tensor out = Tensor::empty(reduced_shape(x.shape(), 1u << axis, keepdim), i64);
  auto* indices = static_cast<int64_t*>(out.raw());
  const ReducePlan plan(x, 1u << axis);
  const int64_t length = x.shape()[axis], stride = x.strides()[axis];
  dispatch(x.dtype(), [&]<class T>() {
    const Max<T> max;
    parallel_for(plan.kept.count, std::max<int64_t>(1, detail::piece_elements / std::max<int64_t>(length, 1)), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const T* row = static_cast<const T*>(x.raw()) + plan.kept.offset(i);
        int64_t best = 0;
        for (int64_t j = 1; j < length; ++j)
          if (row[best * stride] == row[best * stride] && max.take(row[best * stride], row[j * stride]) != row[best * stride]) best = j;
        indices[i] = best;
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
