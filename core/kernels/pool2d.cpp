#include <scry/core/kernels/conv2d_plan.hpp>
#include <scry/core/kernels/pool2d.hpp>
#include <algorithm>
#include <cmath>
#include <limits>

namespace scry::kernels {
namespace {

using conv::Axis;

// A pooling of channels-last images. Forward passes run over output rows; backward passes over input rows, each of which gathers from the
// windows that reach it, so that no two threads write to the same place.
struct Plan {
  int64_t images, channels;
  Axis y, x;
  int64_t output_rows() const { return images * y.grid; }
  int64_t input_rows() const { return images * y.in; }
};

Plan make_plan(const Shape& input, const Shape& output, const Window2d& window) {
  return {input[0], input[1], conv::forward_axis(window, 0, input[2], output[2]), conv::forward_axis(window, 1, input[3], output[3])};
}

// The plan of a backward pass, in which the output's size is that of the gradient.
Plan make_checked_plan(std::string_view op, const Shape& input, const Shape& output, const Window2d& window) {
  require(input.rank() == 4 && output.rank() == 4, op, ": expected shapes [N, C, H, W], got ", input, " and ", output);
  const Shape floor = pool2d_output_shape(op, input, window, false), ceil = pool2d_output_shape(op, input, window, true);
  require(output == floor || output == ceil, op, ": pooling ", input, " gives ", floor, ", got ", output);
  return make_plan(input, output, window);
}

// Runs body(row, from, to) for the rows that one thread takes at a time.
template <class F>
void for_rows(int64_t rows, int64_t row_bytes, const F& body) {
  parallel_for(rows, grain_for(row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}

DType index_type(const Window2d& window) { return window.kernel[0] * window.kernel[1] <= 256 ? u8 : i64; }

template <class F>
void dispatch_index(DType dtype, F&& function) {
  dtype == u8 ? function.template operator()<uint8_t>() : function.template operator()<int64_t>();
}

void require_indices(std::string_view op, const Tensor& indices, const Shape& shape, const Window2d& window) {
  require(indices.dtype() == index_type(window) && indices.shape() == shape, op, ": expected indices of max_pool2d, ", index_type(window), " ", shape,
          ", got ", indices.dtype(), " ", indices.shape());
}

// One output row of max pooling.
template <class T, class Index>
void max_row(const Plan& p, const T* image, int64_t i, T* values, Index* indices) {
  const int64_t channels = p.channels, top = p.y.first_tap(i), bottom = p.y.end_tap(i);
  for (int64_t j = 0; j < p.x.grid; ++j, values += channels, indices += channels) {
    const int64_t left = p.x.first_tap(j), right = p.x.end_tap(j);
    std::fill_n(values, channels, -std::numeric_limits<T>::infinity());
    std::fill_n(indices, channels, static_cast<Index>(top < bottom && left < right ? top * p.x.taps + left : 0));
    for (int64_t a = top; a < bottom; ++a)
      for (int64_t b = left; b < right; ++b) {
        const T* from = image + ((p.y.position(i) + a * p.y.spacing) * p.x.in + p.x.position(j) + b * p.x.spacing) * channels;
        const auto tap = static_cast<Index>(a * p.x.taps + b);
        for (int64_t c = 0; c < channels; ++c) {
          // A value that isn't smaller or equal is larger or NaN; once NaN is there it stays.
          const bool takes = !(from[c] <= values[c]) && values[c] == values[c];
          values[c] = takes ? from[c] : values[c];
          indices[c] = takes ? tap : indices[c];
        }
      }
  }
}

// Calls add(output row, a) for the windows whose row `a` is input row h.
template <class F>
void for_windows_over(const Axis& y, int64_t h, const F& add) {
  for (int64_t a = 0; a < y.taps; ++a) {
    const int64_t at = h - y.start - a * y.spacing;
    if (at >= 0 && at % y.step == 0 && at / y.step < y.grid) add(at / y.step, a);
  }
}

// One input row of the gradient of max pooling.
template <class T, class Index>
void max_grad_row(const Plan& p, const T* gradient, const Index* indices, int64_t h, T* row) {
  const int64_t channels = p.channels;
  std::fill_n(row, p.x.in * channels, T{0});
  for_windows_over(p.y, h, [&](int64_t i, int64_t a) {
    for (int64_t j = 0; j < p.x.grid; ++j) {
      const T* g = gradient + (i * p.x.grid + j) * channels;
      const Index* index = indices + (i * p.x.grid + j) * channels;
      for (int64_t b = p.x.first_tap(j); b < p.x.end_tap(j); ++b) {
        T* to = row + (p.x.position(j) + b * p.x.spacing) * channels;
        const auto tap = static_cast<Index>(a * p.x.taps + b);
        for (int64_t c = 0; c < channels; ++c) to[c] += index[c] == tap ? g[c] : T{0};
      }
    }
  });
}

// The number of elements along one axis that the mean over window i divides by.
int64_t divisor(const Axis& axis, int64_t i, int64_t padding_after, bool count_include_pad) {
  if (!count_include_pad) return std::max<int64_t>(1, axis.end_tap(i) - axis.first_tap(i));
  Axis padded = axis;
  padded.in += padding_after;
  return std::max<int64_t>(1, padded.end_tap(i));
}

}  // namespace

Shape pool2d_output_shape(std::string_view op, const Shape& input, const Window2d& window, bool ceil_mode) {
  require(input.rank() == 4, op, ": expected images [N, C, H, W], got shape ", input);
  return {input[0], input[1], window_count(op, window, 0, input[2], ceil_mode), window_count(op, window, 1, input[3], ceil_mode)};
}

Pooled max_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode) {
  constexpr std::string_view op = "max_pool2d";
  const Shape shape = pool2d_output_shape(op, x.shape(), window, ceil_mode);
  const Plan p = make_plan(x.shape(), shape, window);
  const Tensor in = channels_last(x);
  Pooled out{empty_channels_last(shape, x.dtype()), empty_channels_last(shape, index_type(window))};
  if (out.values.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    dispatch_index(out.indices.dtype(), [&]<class Index>() {
      const T* images = static_cast<const T*>(in.raw());
      T* values = static_cast<T*>(out.values.raw());
      auto* indices = static_cast<Index*>(out.indices.raw());
      const int64_t size = p.x.grid * p.channels;
      for_rows(p.output_rows(), size * p.y.taps * p.x.taps * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
        max_row(p, images + row / p.y.grid * p.y.in * p.x.in * p.channels, row % p.y.grid, values + row * size, indices + row * size);
      });
    });
  });
  return out;
}

Tensor max_pool2d_grad(const Tensor& gradient, const Tensor& indices, const Shape& input, const Window2d& window) {
  constexpr std::string_view op = "max_pool2d_grad";
  const Plan p = make_checked_plan(op, input, gradient.shape(), window);
  require_indices(op, indices, gradient.shape(), window);
  const Tensor in = channels_last(gradient), taken = channels_last(indices);
  Tensor out = empty_channels_last(input, gradient.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, gradient.dtype(), [&]<class T>() {
    dispatch_index(taken.dtype(), [&]<class Index>() {
      const T* gradients = static_cast<const T*>(in.raw());
      const auto* index = static_cast<const Index*>(taken.raw());
      T* to = static_cast<T*>(out.raw());
      const int64_t size = p.x.in * p.channels, plane = p.y.grid * p.x.grid * p.channels;
      for_rows(p.input_rows(), size * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
        const int64_t image = row / p.y.in;
        max_grad_row(p, gradients + image * plane, index + image * plane, row % p.y.in, to + row * size);
      });
    });
  });
  return out;
}

Tensor max_pool2d_gather(const Tensor& x, const Tensor& indices, const Window2d& window) {
  constexpr std::string_view op = "max_pool2d_gather";
  const Shape shape = indices.shape();
  const Plan p = make_checked_plan(op, x.shape(), shape, window);
  require_indices(op, indices, shape, window);
  const Tensor in = channels_last(x), taken = channels_last(indices);
  Tensor out = empty_channels_last(shape, x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    dispatch_index(taken.dtype(), [&]<class Index>() {
      const T* images = static_cast<const T*>(in.raw());
      const auto* index = static_cast<const Index*>(taken.raw());
      T* to = static_cast<T*>(out.raw());
      const int64_t channels = p.channels, size = p.x.grid * channels;
      for_rows(p.output_rows(), size * 2 * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
        const T* image = images + row / p.y.grid * p.y.in * p.x.in * channels;
        for (int64_t k = 0; k < size; ++k) {
          const auto tap = static_cast<int64_t>(index[row * size + k]);
          const int64_t h = p.y.position(row % p.y.grid) + tap / p.x.taps * p.y.spacing,
                        w = p.x.position(k / channels) + tap % p.x.taps * p.x.spacing;
          const bool inside = h >= 0 && h < p.y.in && w >= 0 && w < p.x.in;
          to[row * size + k] = inside ? image[(h * p.x.in + w) * channels + k % channels] : T{0};
        }
      });
    });
  });
  return out;
}

Tensor avg_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode, bool count_include_pad) {
  constexpr std::string_view op = "avg_pool2d";
  const Shape shape = pool2d_output_shape(op, x.shape(), window, ceil_mode);
  const Plan p = make_plan(x.shape(), shape, window);
  const Tensor in = channels_last(x);
  Tensor out = empty_channels_last(shape, x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    const T* images = static_cast<const T*>(in.raw());
    T* means = static_cast<T*>(out.raw());
    const int64_t channels = p.channels, size = p.x.grid * channels;
    for_rows(p.output_rows(), size * p.y.taps * p.x.taps * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
      const int64_t i = row % p.y.grid, height = divisor(p.y, i, window.padding_after[0], count_include_pad);
      for (int64_t j = 0; j < p.x.grid; ++j) {
        T* to = means + row * size + j * channels;
        std::fill_n(to, channels, T{0});
        for (int64_t a = p.y.first_tap(i); a < p.y.end_tap(i); ++a)
          for (int64_t b = p.x.first_tap(j); b < p.x.end_tap(j); ++b) {
            const int64_t h = p.y.position(i) + a * p.y.spacing, w = p.x.position(j) + b * p.x.spacing;
            const T* from = images + ((row / p.y.grid * p.y.in + h) * p.x.in + w) * channels;
            for (int64_t c = 0; c < channels; ++c) to[c] += from[c];
          }
        const auto count = static_cast<T>(height * divisor(p.x, j, window.padding_after[1], count_include_pad));
        for (int64_t c = 0; c < channels; ++c) to[c] /= count;
      }
    });
  });
  return out;
}

Tensor avg_pool2d_grad(const Tensor& gradient, const Shape& input, const Window2d& window, bool count_include_pad) {
  constexpr std::string_view op = "avg_pool2d_grad";
  const Plan p = make_checked_plan(op, input, gradient.shape(), window);
  const Tensor in = channels_last(gradient);
  Tensor out = empty_channels_last(input, gradient.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating(op, gradient.dtype(), [&]<class T>() {
    const T* gradients = static_cast<const T*>(in.raw());
    T* all = static_cast<T*>(out.raw());
    const int64_t channels = p.channels, size = p.x.in * channels;
    for_rows(p.input_rows(), size * p.y.taps * p.x.taps * static_cast<int64_t>(sizeof(T)), [&](int64_t row) {
      T* line = all + row * size;
      std::fill_n(line, size, T{0});
      for_windows_over(p.y, row % p.y.in, [&](int64_t i, int64_t) {
        const int64_t height = divisor(p.y, i, window.padding_after[0], count_include_pad);
        for (int64_t j = 0; j < p.x.grid; ++j) {
          const T* g = gradients + ((row / p.y.in * p.y.grid + i) * p.x.grid + j) * channels;
          const T share = T{1} / static_cast<T>(height * divisor(p.x, j, window.padding_after[1], count_include_pad));
          for (int64_t b = p.x.first_tap(j); b < p.x.end_tap(j); ++b) {
            T* to = line + (p.x.position(j) + b * p.x.spacing) * channels;
            for (int64_t c = 0; c < channels; ++c) to[c] += g[c] * share;
          }
        }
      });
    });
  });
  return out;
}

}  // namespace scry::kernels
