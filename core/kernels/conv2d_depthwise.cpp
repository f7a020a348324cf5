#include <scry/core/kernels/conv2d_plan.hpp>
#include <algorithm>

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
        for (int64_t m = 0; m < multiplier; ++m)
          *to++ = weight.data[group * weight.group + m * stride + (c.y.kernel_first + a * c.y.kernel_step) * weight.row +
                              (c.x.kernel_first + b * c.x.kernel_step) * weight.column];
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

// to[c] += x[c] * w[c], or the same with the multiplier's channels spread from one or gathered into one.
template <class T>
void multiply_add(const Correlation& c, const T* x, const T* w, T* to) {
  if (c.in_channels == 1 && c.out_channels == 1) {
    for (int64_t k = 0; k < c.groups; ++k) to[k] += x[k] * w[k];
  } else if (c.in_channels == 1) {
    for (int64_t k = 0; k < c.groups; ++k)
      for (int64_t m = 0; m < c.out_channels; ++m) to[k * c.out_channels + m] += x[k] * w[k * c.out_channels + m];
  } else {
    for (int64_t k = 0; k < c.groups; ++k)
      for (int64_t m = 0; m < c.in_channels; ++m) to[k] += x[k * c.in_channels + m] * w[k * c.in_channels + m];
  }
}

}  // namespace

template <class T>
void correlate_depthwise(const Correlation& c, const T* in, const Weight<T>& weight, const T* bias, T* out) {
  const Tensor packed = weight.packed(PackedWeights::depthwise, [&] { return pack_taps(c, weight); });
  const T* weights = static_cast<const T*>(packed.raw());
  const int64_t channels = packed.size(1), pixel = c.out_pixel();
  const int64_t grain = grain_for(c.x.grid * (c.terms() + 1) * c.groups * static_cast<int64_t>(sizeof(T)));
  parallel_for(c.images * c.y.grid, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line)
      for (int64_t j = 0; j < c.x.grid; ++j) {
        const int64_t image = line / c.y.grid, i = line % c.y.grid;
        T* to = out + c.output_offset(image, i, j);
        if (bias)
          std::copy_n(bias, pixel, to);
        else
          std::fill_n(to, pixel, T{0});
        for_taps(c, in, image, i, j, [&](int64_t tap, const T* x) { multiply_add(c, x, weights + tap * channels, to); });
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
    std::fill_n(sum, size, T{0});
    for (int64_t line = lines * piece / pieces; line < lines * (piece + 1) / pieces; ++line)
      for (int64_t j = 0; j < c.x.grid; ++j) {
        const T* g = gradient + (line * c.x.grid + j) * pixel;
        for_taps(c, in, line / c.y.grid, line % c.y.grid, j, [&](int64_t tap, const T* x) {
          T* to = sum + tap * pixel;
          if (c.out_channels == 1) {
            for (int64_t k = 0; k < pixel; ++k) to[k] += x[k] * g[k];
          } else {
            for (int64_t k = 0; k < pixel; ++k) to[k] += x[k / c.out_channels] * g[k];
          }
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
