#include <scry/core/kernels/conv2d_images.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// The pixels that a tile sums over, in one block of images.
struct Source {
  const float *x, *gradient;
  int64_t rows, x_row, gradient_row, pixels, x_pixel, gradient_pixel;
};

// The products of `outputs` gradients and `terms` inputs at every pixel, added to sums [outputs, terms, lanes].
template <int outputs, int terms>
void tile(const Source& s, float* sums) {
  Lanes sum[outputs][terms];
  for (int o = 0; o < outputs; ++o)
    for (int k = 0; k < terms; ++k) sum[o][k] = Lanes::load_aligned(sums + (o * terms + k) * lanes);
  for (int64_t i = 0; i < s.rows; ++i) {
    const float *x = s.x + i * s.x_row, *g = s.gradient + i * s.gradient_row;
    for (int64_t j = 0; j < s.pixels; ++j, x += s.x_pixel, g += s.gradient_pixel) {
      Lanes value[terms];
      for (int k = 0; k < terms; ++k) value[k] = Lanes::load_aligned(x + k * lanes);
      for (int o = 0; o < outputs; ++o) {
        const Lanes gradient = Lanes::load_aligned(g + o * lanes);
        for (int k = 0; k < terms; ++k) sum[o][k] = xsimd::fma(value[k], gradient, sum[o][k]);
      }
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int k = 0; k < terms; ++k) sum[o][k].store_aligned(sums + (o * terms + k) * lanes);
}

constexpr int64_t most_outputs = registers == 32 ? 5 : 3, most_terms = registers == 32 ? 5 : 4;

template <size_t outputs>
constexpr auto tiles_of = []<size_t... k>(std::index_sequence<k...>) {
  return std::array{&tile<static_cast<int>(outputs), static_cast<int>(k) + 1>...};
}
(std::make_index_sequence<static_cast<size_t>(most_terms)>());

constexpr auto tiles = []<size_t... o>(std::index_sequence<o...>) { return std::array{tiles_of<o + 1>...}; }
(std::make_index_sequence<static_cast<size_t>(most_outputs)>());

// The weight gradient of some output channels at one row of the kernel, over the images of a chunk.
struct Slice {
  const Correlation& c;
  int64_t a, first_output, outputs;  // of all groups' outputs
  // Columns of the kernel that no padding tells apart are one run of terms.
  bool one_run = c.x.spacing == 1 && c.groups == 1 && !c.x.needs_padding();
  Cuts cuts{one_run ? c.x.taps * c.in_channels : c.in_channels, most_terms};

  int64_t runs() const { return one_run ? 1 : c.x.taps; }

  // Adds one block's part to sums [runs, cuts][outputs, terms of the cut, lanes].
  void add_block(const float* x, const float* gradient, float* sums) const {
    // As many rows at a time as stay in the first cache.
    const int64_t step = std::max<int64_t>(1, 64 / c.x.grid);
    const int64_t x_pixel = c.in_pixel() * lanes, gradient_pixel = c.out_pixel() * lanes;
    x += first_output / c.out_channels * c.in_channels * lanes;
    int64_t begin = 0, end = c.y.grid;
    while (begin < end && (a < c.y.first_tap(begin) || a >= c.y.end_tap(begin))) ++begin;
    while (begin < end && (a < c.y.first_tap(end - 1) || a >= c.y.end_tap(end - 1))) --end;
    for (int64_t i = begin; i < end; i += step) {
      float* to = sums;
      for (int64_t b = 0; b < runs(); ++b) {
        int64_t left = 0, right = c.x.grid;
        if (!one_run) {
          while (left < right && (b < c.x.first_tap(left) || b >= c.x.end_tap(left))) ++left;
          while (left < right && (b < c.x.first_tap(right - 1) || b >= c.x.end_tap(right - 1))) --right;
        }
        const int64_t row = c.y.position(i) + a * c.y.spacing, column = c.x.position(left) + b * c.x.spacing;
        const float* at = left < right ? x + (row * c.x.in + column) * x_pixel : x;
        Source s{at,
                 gradient + (i * c.x.grid + left) * gradient_pixel + first_output * lanes,
                 std::min(step, end - i),
                 c.y.step * c.x.in * x_pixel,
                 c.x.grid * gradient_pixel,
                 right - left,
                 c.x.step * x_pixel,
                 gradient_pixel};
        for (int64_t cut = 0; cut < cuts.count; ++cut, to += outputs * cuts.length(cut - 1) * lanes) {
          s.x = at + cuts.begin(cut) * lanes;
          tiles[static_cast<size_t>(outputs - 1)][static_cast<size_t>(cuts.length(cut) - 1)](s, to);
        }
      }
    }
  }

  // Adds up the lanes and hands over the sums: out [out_channels, in_channels, y.taps, x.taps] = or += them.
  void finish(const float* sums, bool adds, float* out) const {
    for (int64_t b = 0; b < runs(); ++b)
      for (int64_t cut = 0; cut < cuts.count; ++cut)
        for (int64_t o = first_output; o < first_output + outputs; ++o)
          for (int64_t k = cuts.begin(cut); k < cuts.begin(cut + 1); ++k, sums += lanes) {
            const int64_t column = one_run ? k / c.in_channels : b, channel = one_run ? k % c.in_channels : k;
            float& to = out[((o * c.in_channels + channel) * c.y.taps + a) * c.x.taps + column];
            const float sum = xsimd::hadd(Lanes::load_aligned(sums));
            to = adds ? to + sum : sum;
          }
  }
};

}  // namespace

void weight_grad_images(const Correlation& c, const float* in, const float* gradient, float* out) {
  const int64_t row = c.x.in * c.in_pixel(), gradient_row = c.x.grid * c.out_pixel(), size = c.y.in * row, gradient_size = c.y.grid * gradient_row;
  const int64_t at_once = std::min(images_at_once(size + gradient_size), (c.images + lanes - 1) / lanes * lanes);
  Tensor interleaved = Tensor::empty({at_once * size}), interleaved_gradient = Tensor::empty({at_once * gradient_size});
  float *x = static_cast<float*>(interleaved.raw()), *g = static_cast<float*>(interleaved_gradient.raw());
  const Cuts outputs(c.out_channels, most_outputs);
  const int64_t units = c.groups * outputs.count * c.y.taps, sums_size = most_outputs * c.x.taps * c.in_channels * lanes;
  Scratch scratch(sums_size * static_cast<int64_t>(sizeof(float)), units);
  if (c.images == 0) std::fill_n(out, c.out_pixel() * c.terms(), 0.0f);
  for (int64_t first = 0; first < c.images; first += at_once) {
    const int64_t images = std::min(at_once, c.images - first);
    interleave_images(in + first * size, images, c.y.in, row, x);
    interleave_images(gradient + first * gradient_size, images, c.y.grid, gradient_row, g);
    parallel_for(units, 1, [&](int64_t unit, int64_t) {
      const Scratch::Lease lease(scratch);
      float* sums = lease.as<float>();
      const int64_t cut = unit / c.y.taps % outputs.count, group = unit / c.y.taps / outputs.count;
      const Slice slice{c, unit % c.y.taps, group * c.out_channels + outputs.begin(cut), outputs.length(cut)};
      std::fill_n(sums, sums_size, 0.0f);
      for (int64_t block = 0; block * lanes < images; ++block) slice.add_block(x + block * size * lanes, g + block * gradient_size * lanes, sums);
      slice.finish(sums, first > 0, out);
    });
  }
}

}  // namespace scry::kernels::conv
