#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/scan.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;

// Runs state = next(state, i) over the elements i of every line along the axis of a row-major tensor, and keeps each state in `out`.
template <class Out, class Acc, class F>
void scan(const Tensor& out, int axis, bool reverse, Acc start, const F& next) {
  constexpr int64_t block = 1024;
  if (out.numel() == 0) return;
  int64_t inner = 1;
  for (int i = axis + 1; i < out.rank(); ++i) inner *= out.shape()[i];
  const int64_t length = out.shape()[axis], lines = out.numel() / length, width = std::min(inner, block), blocks = (inner + width - 1) / width;
  auto* to = static_cast<Out*>(out.raw());
  parallel_for(lines / inner * blocks, std::max<int64_t>(1, (1 << 15) / (length * width)), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      if (inner == 1) {
        Acc state = start;
        for (int64_t k = 0; k < length; ++k) {
          const int64_t at = item * length + (reverse ? length - 1 - k : k);
          to[at] = static_cast<Out>(state = next(state, at));
        }
        continue;
      }
      const int64_t column = item % blocks * width, columns = std::min(width, inner - column);
      Acc state[block];
      std::fill_n(state, columns, start);
      for (int64_t k = 0; k < length; ++k) {
        const int64_t at = (item / blocks * length + (reverse ? length - 1 - k : k)) * inner + column;
        for (int64_t c = 0; c < columns; ++c) to[at + c] = static_cast<Out>(state[c] = next(state[c], at + c));
      }
    }
  });
}

}  // namespace

Tensor cumsum(const Tensor& input, int axis, bool reverse) {
  return dispatch(input.dtype(), [&]<class T>() {
    const Tensor x = contiguous(input);
    Tensor out = Tensor::empty(x.shape(), dtype_of<Total<T>>());
    scan<Total<T>>(out, axis, reverse, Wide<T>{0},
                   [from = static_cast<const T*>(x.raw())](auto sum, int64_t i) { return sum + static_cast<Wide<T>>(from[i]); });
    return out;
  });
}

Tensor cumprod(const Tensor& input, int axis, bool reverse) {
  return dispatch(input.dtype(), [&]<class T>() {
    const Tensor x = contiguous(input);
    Tensor out = Tensor::empty(x.shape(), dtype_of<Total<T>>());
    scan<Total<T>>(out, axis, reverse, Wide<T>{1},
                   [from = static_cast<const T*>(x.raw())](auto product, int64_t i) { return product * static_cast<Wide<T>>(from[i]); });
    return out;
  });
}

Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse) {
  const Tensor factors = contiguous(a), terms = contiguous(b);
  Tensor out = Tensor::empty(a.shape(), a.dtype());
  dispatch_floating("recurrence", a.dtype(), [&]<class T>() {
    const T *factor = static_cast<const T*>(factors.raw()), *term = static_cast<const T*>(terms.raw());
    scan<T>(out, axis, reverse, 0.0, [=](double y, int64_t i) { return static_cast<double>(factor[i]) * y + static_cast<double>(term[i]); });
  });
  return out;
}

}  // namespace scry::kernels
