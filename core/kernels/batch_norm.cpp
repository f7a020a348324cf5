#include <scry/core/kernels/batch_norm.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <xsimd/xsimd.hpp>

namespace scry::kernels {
namespace {

// A channels-last tensor as a matrix: a row for each place, a column for each channel.
struct Rows {
  int64_t rows, channels;
  explicit Rows(const Tensor& x) : rows(x.shape()[1] ? x.numel() / x.shape()[1] : 0), channels(x.shape()[1]) {}
  // Rows to a piece of work: fixed, so that sums come out the same whatever the number of threads.
  int64_t grain() const { return std::max<int64_t>(16, 32768 / std::max<int64_t>(channels, 1)); }
};

// As many channels as a register holds sums, or one, and what they are added up in.
template <class T>
struct Several {
  static constexpr auto size = static_cast<int64_t>(xsimd::batch<double>::size);
  using Values [[gnu::vector_size(size * sizeof(T))]] = T;
  using Sums [[gnu::vector_size(size * sizeof(double))]] = double;
  static Sums widen(Values x) { return __builtin_convertvector(x, Sums); }
};
template <class T>
struct One {
  static constexpr int64_t size = 1;
  using Values = T;
  using Sums = double;
  static Sums widen(Values x) { return static_cast<double>(x); }
};

template <class V, class T>
V load(const T* from) {
  V x;
  std::memcpy(&x, from, sizeof(V));
  return x;
}

// Adds two terms of rows [begin, end) for `groups` times as many channels from c on as W holds: term.operator()<W>(at, channel) for each place.
template <class W, int groups, class Term>
void add_rows(const Rows& m, int64_t begin, int64_t end, int64_t c, double* sums, double* more_sums, const Term& term) {
  typename W::Sums sum[groups]{}, more[groups]{};
  for (int64_t i = begin; i < end; ++i)
    for (int g = 0; g < groups; ++g) {
      const auto [a, b] = term.template operator()<W>(i * m.channels + c + g * W::size, c + g * W::size);
      sum[g] += a;
      more[g] += b;
    }
  std::memcpy(sums + c, sum, sizeof(sum));
  std::memcpy(more_sums + c, more, sizeof(more));
}

// The sums of two terms by channel, in double.
template <class T, class Term>
void column_sums(const Rows& m, double* sums, double* more_sums, const Term& term) {
  const int64_t grain = m.grain(), pieces = (m.rows + grain - 1) / grain;
  const memory::Scratch<double> scratch(pieces * 2 * m.channels);
  double* partial = scratch.data();
  parallel_for(m.rows, grain, [&](int64_t begin, int64_t end) {
    double *own = partial + begin / grain * 2 * m.channels, *more = own + m.channels;
    int64_t c = 0;
    constexpr int64_t size = Several<T>::size;
    for (; c + 2 * size <= m.channels; c += 2 * size) add_rows<Several<T>, 2>(m, begin, end, c, own, more, term);
    for (; c + size <= m.channels; c += size) add_rows<Several<T>, 1>(m, begin, end, c, own, more, term);
    for (; c < m.channels; ++c) add_rows<One<T>, 1>(m, begin, end, c, own, more, term);
  });
  std::fill_n(sums, m.channels, 0.0);
  std::fill_n(more_sums, m.channels, 0.0);
  for (int64_t p = 0; p < pieces; ++p) {
    for (int64_t c = 0; c < m.channels; ++c) {
      sums[c] += partial[2 * p * m.channels + c];
      more_sums[c] += partial[(2 * p + 1) * m.channels + c];
    }
  }
}

const double* doubles(const Tensor& x) { return static_cast<const double*>(x.raw()); }

// x * scale + shift by channel: what normalisation comes down to.
template <class T>
struct Affine {
  memory::Scratch<T> scale, shift;
  Affine(const ChannelStatistics& statistics, const Tensor& weight, const Tensor& bias, double eps)
      : scale(statistics.mean.numel()), shift(statistics.mean.numel()) {
    for (int64_t c = 0; c < statistics.mean.numel(); ++c) {
      const double w = weight.defined() ? static_cast<const T*>(weight.raw())[c * weight.strides()[0]] : 1;
      const double b = bias.defined() ? static_cast<const T*>(bias.raw())[c * bias.strides()[0]] : 0;
      const double factor = w / std::sqrt(doubles(statistics.variance)[c] + eps);
      scale[c] = static_cast<T>(factor);
      shift[c] = static_cast<T>(b - doubles(statistics.mean)[c] * factor);
    }
  }
};

}  // namespace

ChannelStatistics channel_statistics(const Tensor& input) {
  const Tensor x = channels_last(input);
  const Rows m(x);
  ChannelStatistics out{Tensor::empty({m.channels}, f64), Tensor::empty({m.channels}, f64)};
  auto *mean = static_cast<double*>(out.mean.raw()), *variance = static_cast<double*>(out.variance.raw());
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const T* data = static_cast<const T*>(x.raw());
    // Squares of differences from the first row: far from zero, sums of plain squares would cancel.
    column_sums<T>(m, mean, variance, [&]<class W>(int64_t at, int64_t c) {
      const typename W::Sums d = W::widen(load<typename W::Values>(data + at)) - W::widen(load<typename W::Values>(data + c));
      return std::pair(d, typename W::Sums(d * d));
    });
    const auto count = static_cast<double>(m.rows);
    for (int64_t c = 0; c < m.channels; ++c) {
      const double d = mean[c] / count;
      mean[c] = m.rows ? static_cast<double>(data[c]) + d : NAN;
      variance[c] = std::max(0.0, variance[c] / count - d * d);
      if (std::isnan(d)) variance[c] = d;
    }
  });
  return out;
}

Tensor batch_norm(const Tensor& input, const ChannelStatistics& statistics, const Tensor& weight, const Tensor& bias, double eps,
                  const std::optional<Clip>& clip) {
  const Tensor x = channels_last(input);
  const Rows m(x);
  Tensor out = empty_channels_last(x.shape(), x.dtype());
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const Affine<T> by(statistics, weight, bias, eps);
    const T *from = static_cast<const T*>(x.raw()), *scale = by.scale.data(), *shift = by.shift.data();
    T* to = static_cast<T*>(out.raw());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto [low, high] = clip.value_or(Clip{-infinity, infinity});
    const T least = static_cast<T>(low), most = static_cast<T>(high);
    parallel_for(m.rows, m.grain(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t c = 0; c < m.channels; ++c) {
          const T y = from[i * m.channels + c] * scale[c] + shift[c], raised = y < least ? least : y;
          to[i * m.channels + c] = raised > most ? most : raised;
        }
    });
  });
  return out;
}

namespace {

// One gradient pass; without a clip nothing is asked about results.
template <class T, bool clipped>
void gradients(const Rows& m, const T* gs, const T* values, const ChannelStatistics& statistics, const Tensor& weight, const Affine<T>& forward,
               const BatchNormPass& pass, const BatchNormGradients& out) {
  const double *mean = doubles(statistics.mean), *variance = doubles(statistics.variance);
  const T *scale = forward.scale.data(), *shift = forward.shift.data();
  // What arrives at the result of the normalisation.
  const T low = static_cast<T>(clipped ? pass.clip->low : 0), high = static_cast<T>(clipped ? pass.clip->high : 0);
  const auto arriving = [=](T g, T x, int64_t c) {
    const T y = x * scale[c] + shift[c];
    return clipped && ((y <= low) | (y >= high)) ? T{0} : g;
  };
  const memory::Scratch<double> sums(2 * m.channels);
  double *sum_g = sums.data(), *sum_gx = sum_g + m.channels;  // of g and of g (x - mean)
  column_sums<T>(m, sum_g, sum_gx, [=]<class W>(int64_t at, int64_t c) {
    using V = typename W::Values;
    const V x = load<V>(values + at), g = load<V>(gs + at);
    const V y = x * load<V>(scale + c) + load<V>(shift + c), there = clipped ? ((y <= low) | (y >= high) ? V{} : g) : g;
    const typename W::Sums d = W::widen(there);
    return std::pair(d, typename W::Sums(d * (W::widen(x) - load<typename W::Sums>(mean + c))));
  });
  // dx = (w / s) (g - mean(g) - x̂ mean(g x̂)), with x̂ = (x - mean) / s: linear in g, x and 1 for each channel.
  const memory::Scratch<T> by_g(m.channels), by_x(m.channels), constant(m.channels);
  for (int64_t c = 0; c < m.channels; ++c) {
    const double w = weight.defined() ? static_cast<const T*>(weight.raw())[c * weight.strides()[0]] : 1;
    const double inverse = 1 / std::sqrt(variance[c] + pass.eps), count = static_cast<double>(m.rows);
    const double slope = pass.training ? -w * inverse * inverse * inverse * sum_gx[c] / count : 0;
    by_g[c] = static_cast<T>(w * inverse);
    by_x[c] = static_cast<T>(slope);
    constant[c] = static_cast<T>(pass.training ? -w * inverse * sum_g[c] / count - slope * mean[c] : 0);
    static_cast<T*>(out.weight.raw())[c] = static_cast<T>(sum_gx[c] * inverse);
    static_cast<T*>(out.bias.raw())[c] = static_cast<T>(sum_g[c]);
  }
  T* to = static_cast<T*>(out.input.raw());
  const T *a = by_g.data(), *b = by_x.data(), *k = constant.data();
  parallel_for(m.rows, m.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
#pragma GCC ivdep  // to and gs may be the same
      for (int64_t c = 0; c < m.channels; ++c) {
        const int64_t at = i * m.channels + c;
        to[at] = arriving(gs[at], values[at], c) * a[c] + (values[at] * b[c] + k[c]);
      }
  });
}

}  // namespace

BatchNormGradients batch_norm_gradients(const Tensor& gradient, const Tensor& input, const ChannelStatistics& statistics, const Tensor& weight,
                                        const Tensor& bias, const BatchNormPass& pass, bool overwrite) {
  const Tensor x = channels_last(input), g = channels_last(gradient);
  const Rows m(x);
  const BatchNormGradients out{overwrite || !same_node(g, gradient) ? g : empty_channels_last(x.shape(), x.dtype()),
                               Tensor::empty({m.channels}, x.dtype()), Tensor::empty({m.channels}, x.dtype())};
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const auto run = pass.clip ? gradients<T, true> : gradients<T, false>;
    run(m, static_cast<const T*>(g.raw()), static_cast<const T*>(x.raw()), statistics, weight, Affine<T>(statistics, weight, bias, pass.eps), pass,
        out);
  });
  return out;
}

}  // namespace scry::kernels
