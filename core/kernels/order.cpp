#include <scry/core/kernels/order.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

template <class T>
struct Item {
  T value;
  int64_t index;
};

template <class T>
bool below(T a, T b) {
  return a < b || (b != b && a == a);
}

Shape with_last(const Shape& shape, int64_t size) {
  Shape out = shape;
  out[out.rank() - 1] = size;
  return out;
}

// Calls row(i, offset of x's row i) for all rows of the last axis.
template <class F>
void by_row(const Tensor& x, int64_t cost, const F& row) {
  const ReducePlan plan(x, 1u << (x.rank() - 1));
  parallel_for(plan.kept.count, std::max<int64_t>(1, (1 << 13) / std::max<int64_t>(cost, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row(i, plan.kept.offset(i));
  });
}

}  // namespace

Tensor order(const Tensor& x, int64_t count, bool descending) {
  const int64_t n = x.shape().back(), stride = x.strides().back();
  Tensor out = Tensor::empty(with_last(x.shape(), count), i64);
  auto* indices = static_cast<int64_t*>(out.raw());
  if (out.numel() == 0) return out;
  dispatch(x.dtype(), [&]<class T>() {
    // The index breaks ties, so that an unstable sort, which needs no memory of its own, leaves equal elements in order.
    const auto before = [descending](const Item<T>& a, const Item<T>& b) {
      const bool first = descending ? below(b.value, a.value) : below(a.value, b.value);
      return first || (!(descending ? below(a.value, b.value) : below(b.value, a.value)) && a.index < b.index);
    };
    const memory::Scratch<Item<T>> scratch(x.numel());
    by_row(x, n, [&](int64_t row, int64_t offset) {
      const T* from = static_cast<const T*>(x.raw()) + offset;
      Item<T>* items = scratch.data() + row * n;
      for (int64_t j = 0; j < n; ++j) items[j] = {from[j * stride], j};
      if (count < n) std::nth_element(items, items + count, items + n, before);
      std::sort(items, items + count, before);
      for (int64_t j = 0; j < count; ++j) indices[row * count + j] = items[j].index;
    });
  });
  return out;
}

}  // namespace scry::kernels
