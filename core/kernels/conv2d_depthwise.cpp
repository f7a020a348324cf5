#include <scry/core/kernels/channel_registers.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <algorithm>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// Weights as [taps, groups * multiplier], where the multiplier is the number of channels on the side that has more than one a group.
template <class T>
Tensor pack_taps(const Correlation& c, const Weight<T>& weight) {
  const int64_t multiplier = std::max(c.in_channels, c.out_channels), stride = c.out_channels == 1 ? weight.in : weight.out;
  Tensor packed = Tensor::empty({c.y.taps * c.x.taps, c.groups * multiplier}, dtype_of<T>());
  T* to = static_cast<T*>(packed.raw());
  for (int64_t a = 0; a < c.y.taps; ++a)
    for (int64_t b = 0; b < c.x.taps; ++b)
      for (int64_t group = 0; group < c.groups; ++group)
        for (int64_t m = 0; m < multiplier; ++m) *to++ = weight.data[group * weight.group + m * stride + weight.place(c, a, b)];
  return packed;
}

// Calls add(tap, input pixel) for the taps of grid point (i, j) that lie on the image.
template <class T, class F>
void for_taps(const Correlation& c, const T* in, int64_t image, int64_t i, int64_t j, const F& add) {
  const int64_t left = c.x.first_tap(j), right = c.x.end_tap(j);
  for (int64_t a = c.y.first_tap(i); a < c.y.end_tap(i); ++a) {
    const T* row = c.input_row(in, image, c.y.position(i) + a * c.y.spacing);
    for (int64_t b = left; b < right; ++b) add(a * c.x.taps + b, row + (c.x.position(j) + b * c.x.spacing) * c.in_pixel());
  }
}

// to += x * w by group, the multiplier's channels spread from one or gathered into one.
template <class T>
void multiply_add(const Correlation& c, const T* x, const T* w, T* to) {
  if (c.in_channels == 1) {
    for (int64_t k = 0; k < c.groups; ++k)
      for (int64_t m = 0; m < c.out_channels; ++m) to[k * c.out_channels + m] += x[k] * w[k * c.out_channels + m];
  } else {
    for (int64_t k = 0; k < c.groups; ++k)
      for (int64_t m = 0; m < c.in_channels; ++m) to[k] += x[k * c.in_channels + m] * w[k * c.in_channels + m];
  }
}

// One channel in, one out: the taps of a row of grid points that lie on the image, with strides in elements.
struct PlainRow {
  int64_t rows, row, columns, column, weight_row, channels, step, out_step;
};

// A register of channels of `points` neighbouring points; `x` and `weights` are at these channels of their first taps.
template <class V, int points, class T>
void plain_points(const PlainRow& s, const T* x, const T* weights, const V& start, T* out) {
  V sum[points];
  for (int p = 0; p < points; ++p) sum[p] = start;
  for (int64_t a = 0; a < s.rows; ++a)
    for (int64_t b = 0; b < s.columns; ++b) {
      const V weight = load<V>(weights + a * s.weight_row + b * s.channels);
      const T* from = x + a * s.row + b * s.column;
      for (int p = 0; p < points; ++p) sum[p] += load<V>(from + p * s.step) * weight;
    }
  for (int p = 0; p < points; ++p) store(sum[p], out + p * s.out_step);
}

template <class T>
void plain_row(const Correlation& c, const T* in, const T* weights, const T* bias, int64_t image, int64_t i, T* out) {
  constexpr int together = 4;
  const auto [inner, outer] = c.x.inner_points();
  const int64_t top = c.y.first_tap(i), channels = c.groups;
  PlainRow s{std::max<int64_t>(0, c.y.end_tap(i) - top),
             c.y.spacing * c.x.in * channels,
             c.x.taps,
             c.x.spacing * channels,
             c.x.taps * channels,
             channels,
             c.x.step * channels,
             c.x.every * channels};
  const T* first = s.rows > 0 ? c.input_row(in, image, c.y.position(i) + top * c.y.spacing) : in;
  T* to = out + c.output_offset(image, i, 0);
  const auto points = [&]<int count>(int64_t j, int64_t left) {
    const T *x = s.columns > 0 ? first + (c.x.position(j) + left * c.x.spacing) * channels : in, *w = weights + top * s.weight_row + left * channels;
    for_channels<T>(
        channels, [&]<class V>(int64_t k) { plain_points<V, count>(s, x + k, w + k, bias ? load<V>(bias + k) : V(T{0}), to + j * s.out_step + k); });
  };
  // Of images that no cache holds, the row that the next grid row meets first is asked for: rows are too short for the processor to foresee it.
  constexpr int64_t in_cache = 1 << 21;
  const bool far = c.images * c.y.in * c.x.in * channels * static_cast<int64_t>(sizeof(T)) > in_cache;
  const T* next = c.input_row(in, image, std::max<int64_t>(0, std::min(c.y.in - 1, c.y.position(i) + c.y.taps * c.y.spacing)));
  for (int64_t j = 0; j < c.x.grid;) {
    const bool several = j >= inner && j + together <= outer;
    const int64_t left = several ? 0 : c.x.first_tap(j);
    for (int64_t k = 0; far && k < (several ? together : 1) * channels; k += 64 / static_cast<int64_t>(sizeof(T)))
      __builtin_prefetch(next + j * s.step + k, 0, 2);
    s.columns = several ? c.x.taps : std::max<int64_t>(0, c.x.end_tap(j) - left);
    several ? points.template operator()<together>(j, left) : points.template operator()<1>(j, left);
    j += several ? together : 1;
  }
}

// The weight gradient of a register of channels for `columns` columns of taps from b on in row a, over rows [first, last) of all images.
template <class V, int columns, class T>
void plain_sums(const Correlation& c, const T* in, const T* gradient, int64_t first, int64_t last, int64_t a, int64_t b, T* sums) {
  const auto [inner, outer] = c.x.inner_points();
  V sum[columns];
  for (V& s : sum) s = V(T{0});
  for (int64_t line = first; line < last; ++line) {
    const int64_t image = line / c.y.grid, i = line % c.y.grid;
    if (a < c.y.first_tap(i) || a >= c.y.end_tap(i)) continue;
    const T *row = c.input_row(in, image, c.y.position(i) + a * c.y.spacing), *g = gradient + line * c.x.grid * c.groups;
    const auto add = [&](int64_t j, const auto& on_image) {
      const V value = load<V>(g + j * c.groups);
      const T* x = row + (c.x.position(j) + b * c.x.spacing) * c.groups;
      __builtin_prefetch(g + (c.x.grid + j) * c.groups, 0, 2);  // what the next row meets, whose lines lie far apart
      __builtin_prefetch(x + c.y.step * c.x.in * c.groups, 0, 2);
      for (int k = 0; k < columns; ++k)
        if (on_image(j, b + k)) sum[k] += load<V>(x + k * c.x.spacing * c.groups) * value;
    };
    const auto always = [](int64_t, int64_t) { return true; };
    const auto sometimes = [&](int64_t j, int64_t tap) { return tap >= c.x.first_tap(j) && tap < c.x.end_tap(j); };
    for (int64_t j = 0; j < inner; ++j) add(j, sometimes);
    for (int64_t j = inner; j < outer; ++j) add(j, always);
    for (int64_t j = outer; j < c.x.grid; ++j) add(j, sometimes);
  }
  for (int k = 0; k < columns; ++k) store(sum[k], sums + (a * c.x.taps + b + k) * c.groups);
}

constexpr int64_t most_columns = 5;

template <class V, class T>
constexpr auto sums_of_columns = []<size_t... k>(std::index_sequence<k...>) {
  return std::array{&plain_sums<V, static_cast<int>(k) + 1, T>...};
}
(std::make_index_sequence<static_cast<size_t>(most_columns)>());

// The sums of one piece, [taps, channels].
template <class T>
void plain_piece(const Correlation& c, const T* in, const T* gradient, int64_t first, int64_t last, T* sums) {
  const Cuts columns(c.x.taps, most_columns);
  for_channels<T>(c.groups, [&]<class V>(int64_t k) {
    for (int64_t a = 0; a < c.y.taps; ++a)
      for (int64_t cut = 0; cut < columns.count; ++cut)
        sums_of_columns<V, T>[static_cast<size_t>(columns.length(cut) - 1)](c, in + k, gradient + k, first, last, a, columns.begin(cut), sums + k);
  });
}

}  // namespace

template <class T>
void correlate_depthwise(const Correlation& c, const T* in, const Weight<T>& weight, const T* bias, T* out) {
  const Tensor packed = weight.packed(PackedWeights::depthwise, [&] { return pack_taps(c, weight); });
  const T* weights = static_cast<const T*>(packed.raw());
  const int64_t channels = packed.size(1), pixel = c.out_pixel();
  const int64_t grain = grain_for(c.x.grid * (c.terms() + 1) * c.groups * static_cast<int64_t>(sizeof(T)));
  parallel_for(c.images * c.y.grid, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t image = line / c.y.grid, i = line % c.y.grid;
      if (c.in_channels == 1 && c.out_channels == 1) {
        plain_row(c, in, weights, bias, image, i, out);
        continue;
      }
      for (int64_t j = 0; j < c.x.grid; ++j) {
        T* to = out + c.output_offset(image, i, j);
        if (bias)
          std::copy_n(bias, pixel, to);
        else
          std::fill_n(to, pixel, T{0});
        for_taps(c, in, image, i, j, [&](int64_t tap, const T* x) { multiply_add(c, x, weights + tap * channels, to); });
      }
    }
  });
}

template <class T>
void weight_grad_depthwise(const Correlation& c, const T* in, const T* gradient, T* out) {
  const int64_t pixel = c.out_pixel(), taps = c.y.taps * c.x.taps, size = taps * pixel, lines = c.images * c.y.grid;
  const int64_t pieces = gradient_pieces((lines * c.x.grid + 255) / 256, size);
  Tensor sums = Tensor::empty({pieces, size}, dtype_of<T>());
  T* all_sums = static_cast<T*>(sums.raw());
  parallel_for(pieces, 1, [&](int64_t piece, int64_t) {
    T* sum = all_sums + piece * size;
    if (c.out_channels == 1) return plain_piece(c, in, gradient, lines * piece / pieces, lines * (piece + 1) / pieces, sum);
    std::fill_n(sum, size, T{0});
    for (int64_t line = lines * piece / pieces; line < lines * (piece + 1) / pieces; ++line)
      for (int64_t j = 0; j < c.x.grid; ++j) {
        const T* g = gradient + (line * c.x.grid + j) * pixel;
        for_taps(c, in, line / c.y.grid, line % c.y.grid, j, [&](int64_t tap, const T* x) {
          T* to = sum + tap * pixel;
          for (int64_t k = 0; k < pixel; ++k) to[k] += x[k / c.out_channels] * g[k];
        });
      }
  });
  add_pieces(all_sums, pieces, size);
  for (int64_t o = 0; o < pixel; ++o)
    for (int64_t tap = 0; tap < taps; ++tap) out[o * taps + tap] = all_sums[tap * pixel + o];
}

template void correlate_depthwise(const Correlation&, const float*, const Weight<float>&, const float*, float*);
template void correlate_depthwise(const Correlation&, const double*, const Weight<double>&, const double*, double*);
template void weight_grad_depthwise(const Correlation&, const float*, const float*, float*);
template void weight_grad_depthwise(const Correlation&, const double*, const double*, double*);

}  // namespace scry::kernels::conv
