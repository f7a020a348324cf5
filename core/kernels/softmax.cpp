#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/softmax.hpp>
#include <scry/core/kernels/softmax_rows.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>

namespace scry::kernels {
namespace {

// A row-major tensor as [outer, length, inner] around an axis. Where inner is 1, lines along the axis are rows; else `width` neighbouring lines are
// worked on together, element after element.
struct Lines {
  int64_t outer = 1, length, inner = 1, width, blocks;
  Lines(const Shape& shape, int axis) : length(shape[axis]) {
    for (int i = 0; i < axis; ++i) outer *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
    width = std::clamp<int64_t>(inner, 1, widest);
    blocks = (inner + width - 1) / width;
  }
  // Calls visit(offset, lines) for each block of neighbouring lines.
  template <class F>
  void each(const F& visit) const {
    parallel_for(outer * blocks, std::max<int64_t>(1, 8192 / std::max<int64_t>(length * width, 1)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) visit(i / blocks * length * inner + i % blocks * width, std::min(width, inner - i % blocks * width));
    });
  }
  static constexpr int64_t widest = 1024;
};

template <class T>
void exponentials_of(const T* in, const T* shift, int64_t n, T* out) {
  const auto f = []<class V>(V v, V s) { return xsimd::exp(v - s); };
  const void* both[] = {in, shift};
  loop<decltype(f), T, T, T>(out, both, n, &f);
}

// `lines` neighbouring softmaxes, `step` elements from one element of a line to the next.
template <class T>
void columns_softmax(const T* in, T* out, int64_t length, int64_t step, int64_t lines, bool logarithm) {
  T shift[Lines::widest], power[Lines::widest];
  double sum[Lines::widest]{};
  std::copy_n(in, lines, shift);
  for (int64_t j = 1; j < length; ++j)
    for (int64_t c = 0; c < lines; ++c) shift[c] = in[j * step + c] > shift[c] || in[j * step + c] != in[j * step + c] ? in[j * step + c] : shift[c];
  for (int64_t c = 0; c < lines; ++c)
    if (std::isinf(shift[c]) && shift[c] < 0) shift[c] = T{0};
  for (int64_t j = 0; j < length; ++j) {
    T* to = logarithm ? power : out + j * step;
    exponentials_of(in + j * step, shift, lines, to);
    for (int64_t c = 0; c < lines; ++c) sum[c] += static_cast<double>(to[c]);
  }
  for (int64_t c = 0; c < lines; ++c) power[c] = static_cast<T>(logarithm ? std::log(sum[c]) : 1 / sum[c]);
  for (int64_t j = 0; j < length; ++j) {
    const T* from = in + j * step;
    T* to = out + j * step;
    if (logarithm)
      for (int64_t c = 0; c < lines; ++c) to[c] = from[c] - shift[c] - power[c];
    else
      for (int64_t c = 0; c < lines; ++c) to[c] *= power[c];
  }
}

template <class T>
void row_softmax(const T* in, T* out, int64_t n, bool logarithm) {
  const T max = largest(in, n);
  const double sum = exponentials(in, max, n, out);
  const T factor = static_cast<T>(logarithm ? std::log(sum) : 1 / sum);
  if (logarithm)
    for (int64_t j = 0; j < n; ++j) out[j] = in[j] - max - factor;
  else
    for (int64_t j = 0; j < n; ++j) out[j] *= factor;
}

Tensor forward(const Tensor& input, int axis, bool logarithm) {
  const Tensor x = contiguous(input);
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  if (out.numel() == 0) return out;
  const Lines lines(x.shape(), axis);
  dispatch_floating("softmax", x.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(out.raw());
    lines.each([&](int64_t at, int64_t count) {
      if (lines.inner == 1)
        row_softmax(from + at, to + at, lines.length, logarithm);
      else
        columns_softmax(from + at, to + at, lines.length, lines.inner, count, logarithm);
    });
  });
  return out;
}

// y (g - sum of g y), or for the logarithm g - exp(y) sum of g.
Tensor backward(const Tensor& gradient, const Tensor& result, int axis, bool logarithm) {
  const Tensor g = contiguous(gradient), y = contiguous(result);
  Tensor out = Tensor::empty(y.shape(), y.dtype());
  if (out.numel() == 0) return out;
  const Lines lines(y.shape(), axis);
  dispatch_floating("softmax", y.dtype(), [&]<class T>() {
    const T *gs = static_cast<const T*>(g.raw()), *ys = static_cast<const T*>(y.raw());
    T* to = static_cast<T*>(out.raw());
    const auto finish = [=](int64_t begin, int64_t n, const auto& sum) {
      if (logarithm) exponentials(ys + begin, T{0}, n, to + begin);
      for (int64_t c = 0, i = begin; c < n; ++c, ++i)
        to[i] = logarithm ? gs[i] - to[i] * static_cast<T>(sum[c]) : ys[i] * (gs[i] - static_cast<T>(sum[c]));
    };
    lines.each([&](int64_t at, int64_t count) {
      if (lines.inner == 1) {
        const double sum = sum_over(gs + at, ys + at, lines.length, [=](double u, double v) { return logarithm ? u : u * v; });
        struct Everywhere {
          double value;
          double operator[](int64_t) const { return value; }
        };
        return finish(at, lines.length, Everywhere{sum});
      }
      double sum[Lines::widest]{};
      for (int64_t j = 0; j < lines.length; ++j)
        for (int64_t c = 0, i = at + j * lines.inner; c < count; ++c, ++i)
          sum[c] += static_cast<double>(gs[i]) * (logarithm ? 1 : static_cast<double>(ys[i]));
      for (int64_t j = 0; j < lines.length; ++j) finish(at + j * lines.inner, count, sum);
    });
  });
  return out;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return forward(x, axis, false); }
Tensor log_softmax(const Tensor& x, int axis) { return forward(x, axis, true); }

Tensor softmax_gradient(const Tensor& g, const Tensor& y, int axis) { return backward(g, y, axis, false); }
Tensor log_softmax_gradient(const Tensor& g, const Tensor& y, int axis) { return backward(g, y, axis, true); }

}  // namespace scry::kernels
