#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/kernels/reducers.hpp>
#include <scry/core/kernels/row_norm.hpp>
#include <scry/core/kernels/row_norm_pixels.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <cmath>

namespace scry::kernels {
namespace {

// The factors of every element of a group's row; the tensor itself where a channel is one element.
template <class T>
class Factors {
 public:
  Factors(const Tensor& values, const RowNorm& norm, T without)
      : dense_(values.defined() ? contiguous(values) : Tensor()), spread_(copies(norm) ? norm.groups * norm.length : 0) {
    for (int64_t i = 0; copies(norm) && i < norm.groups * norm.length; ++i)
      spread_[i] = dense_.defined() ? static_cast<const T*>(dense_.raw())[i / norm.span] : without;
    data_ = copies(norm) ? spread_.data() : static_cast<const T*>(dense_.raw());
  }
  const T* row(int64_t index, const RowNorm& norm) const { return data_ + index % norm.groups * norm.length; }

 private:
  bool copies(const RowNorm& norm) const { return !dense_.defined() || norm.span > 1; }
  Tensor dense_;
  memory::Scratch<T> spread_;
  const T* data_;
};

struct Pair {
  double a = 0, b = 0;
};

// The sums of two functions of the position, added in double: visit(j, a, b) adds to both.
template <class F>
Pair sums(int64_t begin, int64_t end, const F& visit) {
  constexpr int64_t lanes = 16;
  double a[lanes]{}, b[lanes]{};
  int64_t j = begin;
  for (; j + lanes <= end; j += lanes)
    for (int64_t l = 0; l < lanes; ++l) visit(j + l, a[l], b[l]);
  for (int64_t l = 0; j < end; ++j, ++l) visit(j, a[l], b[l]);
  Pair total;
  for (int64_t l = 0; l < lanes; ++l) {
    total.a += a[l];
    total.b += b[l];
  }
  return total;
}

// Rows to a piece of work: fixed, so that sums come out the same whatever the number of threads.
int64_t grain_of(const RowNorm& norm) { return std::max<int64_t>(norm.span > 1 ? norm.groups : 4, 16384 / std::max<int64_t>(norm.length, 1)); }

const double* doubles(const Tensor& x) { return static_cast<const double*>(x.raw()); }

// Adds one row's part of the gradients of weight and bias; `x_hat(j)` is the normalised element.
template <class T, class F>
void add_parameter_gradients(const T* g, const RowNorm& norm, int64_t first_channel, const F& x_hat, double* weight, double* bias) {
  if (norm.span == 1) {
    for (int64_t j = 0; j < norm.length; ++j) {
      const auto d = static_cast<double>(g[j]);
      weight[first_channel + j] += d * x_hat(j);
      bias[first_channel + j] += d;
    }
    return;
  }
  for (int64_t c = 0; c < norm.length / norm.span; ++c) {
    const Pair s = sums(c * norm.span, (c + 1) * norm.span, [&](int64_t j, double& a, double& b) {
      a += static_cast<double>(g[j]) * x_hat(j);
      b += static_cast<double>(g[j]);
    });
    weight[first_channel + c] += s.a;
    bias[first_channel + c] += s.b;
  }
}

// Images whose pixels are rows of neighbouring channels.
bool in_pixels(const Tensor& x, const RowNorm& norm) {
  return norm.span > 1 && norm.centered && !x.is_contiguous() && x.numel() > 0 && is_channels_last(x);
}

}  // namespace

RowNormResult row_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, const RowNorm& norm) {
  if (in_pixels(input, norm)) return pixel_norm(input, weight, bias, norm);
  const Tensor x = contiguous(input);
  const int64_t n = norm.length, rows = n ? x.numel() / n : 0;
  RowNormResult out{Tensor::empty(x.shape(), x.dtype()), Tensor::empty({rows}, f64), Tensor::empty({rows}, f64)};
  if (rows == 0) return out;
  auto *means = static_cast<double*>(out.mean.raw()), *inverses = static_cast<double*>(out.inverse.raw());
  dispatch_floating("row_norm", x.dtype(), [&]<class T>() {
    const Factors<T> weights(weight, norm, T{1}), biases(bias, norm, T{0});
    parallel_for(rows, grain_of(norm), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T *row = static_cast<const T*>(x.raw()) + i * n, *w = weights.row(i, norm), *b = biases.row(i, norm);
        T* to = static_cast<T*>(out.y.raw()) + i * n;
        const Lines line{reinterpret_cast<const std::byte*>(row), n, 1, 1, 0};
        double moments[3]{}, squares;
        if (norm.centered) {
          detail::take_lines<T>(Moments{}, line, moments, 1);
          squares = Moments::squares(moments[1], moments[2], static_cast<double>(n));
        } else {
          detail::take_lines<T>(SumOf<double, Square>{}, line, &squares, 1);
        }
        means[i] = moments[0] + moments[1] / static_cast<double>(n);
        inverses[i] = 1 / std::sqrt(squares / static_cast<double>(n) + norm.eps);
        // The mean in two parts: rounded to T alone it would be off by much where it is far from zero.
        const T mean = static_cast<T>(means[i]), rest = static_cast<T>(means[i] - static_cast<double>(mean)), inverse = static_cast<T>(inverses[i]);
        for (int64_t j = 0; j < n; ++j) to[j] = ((row[j] - mean) - rest) * inverse * w[j] + b[j];
      }
    });
  });
  return out;
}

RowNormGradients row_norm_gradients(const Tensor& gradient, const Tensor& input, const Tensor& weight, const Tensor& mean, const Tensor& inverse,
                                    const RowNorm& norm) {
  if (in_pixels(input, norm)) return pixel_norm_gradients(gradient, input, weight, mean, inverse, norm);
  const Tensor x = contiguous(input), g = contiguous(gradient);
  const int64_t n = norm.length, rows = n ? x.numel() / n : 0, channels = norm.channels(), grain = grain_of(norm),
                pieces = (rows + grain - 1) / grain;
  RowNormGradients out{Tensor::empty(x.shape(), x.dtype()), Tensor::empty({channels}, x.dtype()), Tensor::empty({channels}, x.dtype())};
  dispatch_floating("row_norm", x.dtype(), [&]<class T>() {
    const Factors<T> weights(weight, norm, T{1});
    const memory::Scratch<double> partial(pieces * 2 * channels);
    parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
      double* own = partial.data() + begin / grain * 2 * channels;
      std::fill_n(own, 2 * channels, 0.0);
      for (int64_t i = begin; i < end; ++i) {
        const T *row = static_cast<const T*>(x.raw()) + i * n, *gs = static_cast<const T*>(g.raw()) + i * n, *w = weights.row(i, norm);
        T* to = static_cast<T*>(out.input.raw()) + i * n;
        const double center = doubles(mean)[i], factor = doubles(inverse)[i], count = static_cast<double>(n);
        const auto x_hat = [=](int64_t j) { return (static_cast<double>(row[j]) - center) * factor; };
        const Pair s = sums(0, n, [=](int64_t j, double& a, double& b) {
          const double gw = static_cast<double>(gs[j]) * static_cast<double>(w[j]);
          a += gw;
          b += gw * x_hat(j);
        });
        const double shift = norm.centered ? s.a / count : 0, slope = s.b / count;
        for (int64_t j = 0; j < n; ++j)
          to[j] = static_cast<T>(factor * (static_cast<double>(gs[j]) * static_cast<double>(w[j]) - shift - x_hat(j) * slope));
        add_parameter_gradients(gs, norm, i % norm.groups * (n / norm.span), x_hat, own, own + channels);
      }
    });
    for (int64_t c = 0; c < channels; ++c) {
      Pair total;
      for (int64_t p = 0; p < pieces; ++p) {
        total.a += partial[2 * p * channels + c];
        total.b += partial[(2 * p + 1) * channels + c];
      }
      static_cast<T*>(out.weight.raw())[c] = static_cast<T>(total.a);
      static_cast<T*>(out.bias.raw())[c] = static_cast<T>(total.b);
    }
  });
  return out;
}

}  // namespace scry::kernels
