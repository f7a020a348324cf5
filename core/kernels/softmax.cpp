#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/softmax.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <cmath>
#include <limits>

namespace scry::kernels {
namespace {

template <class T>
T largest(const T* row, int64_t n) {
  T best = -std::numeric_limits<T>::infinity();
  for (int64_t j = 0; j < n; ++j) best = row[j] > best || row[j] != row[j] ? row[j] : best;
  // A row of infinities alone would give inf - inf.
  return std::isinf(best) && best < 0 ? T{0} : best;
}

// out[j] = exp(row[j] - shift); returns the sum, added in double. `out` may be the row.
template <class T>
double exponentials(const T* row, T shift, int64_t n, T* out) {
  using V = Register<T>;
  const auto f = [shift](V v) { return xsimd::exp(v - V(shift)); };
  const void* in[] = {row};
  loop<decltype(f), T, T>(out, in, n, &f);
  double sum = 0;
  for (int64_t j = 0; j < n; ++j) sum += static_cast<double>(out[j]);
  return sum;
}

// Calls row(in, out, n) for every row of x and of a new tensor.
template <class T, class F>
Tensor by_row(const Tensor& input, const F& row) {
  const Tensor x = contiguous(input);
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  const int64_t n = x.shape().back(), rows = n ? x.numel() / n : 0;
  const T* from = static_cast<const T*>(x.raw());
  T* to = static_cast<T*>(out.raw());
  parallel_for(rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row(from + i * n, to + i * n, n);
  });
  return out;
}

}  // namespace

Tensor softmax(const Tensor& x) {
  return dispatch_floating("softmax", x.dtype(), [&]<class T>() {
    return by_row<T>(x, [](const T* in, T* out, int64_t n) {
      const T scale = static_cast<T>(1 / exponentials(in, largest(in, n), n, out));
      for (int64_t j = 0; j < n; ++j) out[j] *= scale;
    });
  });
}

Tensor log_softmax(const Tensor& x) {
  return dispatch_floating("log_softmax", x.dtype(), [&]<class T>() {
    return by_row<T>(x, [](const T* in, T* out, int64_t n) {
      const T max = largest(in, n);
      const T shift = static_cast<T>(std::log(exponentials(in, max, n, out)));
      for (int64_t j = 0; j < n; ++j) out[j] = in[j] - max - shift;
    });
  });
}

RowLosses cross_entropy(const Tensor& input, const Tensor& labels) {
  const Tensor x = contiguous(input), which = contiguous(labels);
  const int64_t rows = x.shape()[0], n = x.shape()[1];
  RowLosses out{Tensor::empty({rows}, x.dtype()), Tensor::empty({rows}, x.dtype())};
  const auto* label = static_cast<const int64_t*>(which.raw());
  dispatch_floating("cross_entropy", x.dtype(), [&]<class T>() {
    const T* data = static_cast<const T*>(x.raw());
    T *losses = static_cast<T*>(out.losses.raw()), *sums = static_cast<T*>(out.log_sum_exp.raw());
    const memory::Scratch<T> scratch(rows * n);
    T* powers = scratch.data();
    parallel_for(rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* row = data + i * n;
        const T max = largest(row, n);
        const double log_sum = std::log(exponentials(row, max, n, powers + i * n));
        sums[i] = static_cast<T>(static_cast<double>(max) + log_sum);
        losses[i] = static_cast<T>(log_sum - (static_cast<double>(row[label[i]]) - static_cast<double>(max)));
      }
    });
  });
  return out;
}

Tensor cross_entropy_gradient(const Tensor& g, const Tensor& input, const Tensor& labels, const Tensor& log_sum_exp) {
  const Tensor x = contiguous(input), which = contiguous(labels);
  const int64_t rows = x.shape()[0], n = x.shape()[1], step = g.strides()[0];
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  const auto* label = static_cast<const int64_t*>(which.raw());
  dispatch_floating("cross_entropy", x.dtype(), [&]<class T>() {
    const T *data = static_cast<const T*>(x.raw()), *gs = static_cast<const T*>(g.raw()), *sums = static_cast<const T*>(log_sum_exp.raw());
    T* to = static_cast<T*>(out.raw());
    parallel_for(rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* row = to + i * n;
        exponentials(data + i * n, sums[i], n, row);
        row[label[i]] -= T{1};
        for (int64_t j = 0; j < n; ++j) row[j] *= gs[i * step];
      }
    });
  });
  return out;
}

}  // namespace scry::kernels
