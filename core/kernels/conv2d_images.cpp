#include <scry/core/kernels/conv2d_images.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// `outputs` output channels of one pixel in every image of one or two blocks: a register of images each. `x` points at the numbers that the pixel's
// window takes, in rows and runs that lie side by side; `weights` at [rows, taps, in_channels, outputs].
struct Window {
  const float *x, *weights;
  int64_t next_block, rows, row, weight_row;
  int64_t runs, run, length;  // one run where whole pixels lie side by side, else one a tap
};

template <int outputs, int blocks>
void pixel(const Window& s, const float* bias, float* out, int64_t next_out) {
  Lanes sum[outputs][blocks];
  for (int o = 0; o < outputs; ++o)
    for (int n = 0; n < blocks; ++n) sum[o][n] = Lanes(bias ? bias[o] : 0.0f);
  for (int64_t a = 0; a < s.rows; ++a) {
    const float* w = s.weights + a * s.weight_row;
    for (int64_t b = 0; b < s.runs; ++b) {
      const float* x = s.x + a * s.row + b * s.run;
      for (int64_t k = 0; k < s.length; ++k, x += lanes, w += outputs) {
        Lanes value[blocks];
        for (int n = 0; n < blocks; ++n) value[n] = Lanes::load_aligned(x + n * s.next_block);
        for (int o = 0; o < outputs; ++o) {
          const Lanes weight(w[o]);
          for (int n = 0; n < blocks; ++n) sum[o][n] = xsimd::fma(value[n], weight, sum[o][n]);
        }
      }
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int n = 0; n < blocks; ++n) sum[o][n].store_aligned(out + n * next_out + o * lanes);
}

constexpr int most_outputs = registers == 32 ? 14 : 6;

template <int blocks>
constexpr auto pixels = []<size_t... i>(std::index_sequence<i...>) {
  return std::array{&pixel<static_cast<int>(i) + 1, blocks>...};
}
(std::make_index_sequence<static_cast<size_t>(most_outputs)>());

// One grid row of one or two blocks of images, as [blocks, grid, out_pixel, lanes]. `x` is the first block's input.
void compute_row(const Correlation& c, const float* x, int64_t blocks, const float* weights, const float* bias, const Cuts& cuts, int64_t i,
                 float* row) {
  const int64_t pixel_size = c.in_pixel() * lanes, top = c.y.first_tap(i), bottom = std::max(top, c.y.end_tap(i));
  const bool side_by_side = c.x.spacing == 1 && c.groups == 1;
  for (int64_t part = 0; part < c.groups * cuts.count; ++part) {
    const int64_t group = part / cuts.count, cut = part % cuts.count, first = group * c.out_channels + cuts.begin(cut);
    const int64_t outputs = cuts.length(cut), tap = c.in_channels * outputs;
    const float* packed = weights + first * c.terms() + top * c.x.taps * tap;
    for (int64_t j = 0; j < c.x.grid; ++j) {
      const int64_t left = c.x.first_tap(j), right = std::max(left, c.x.end_tap(j));
      const float* at = x + group * c.in_channels * lanes;
      if (top < bottom && left < right) at += ((c.y.position(i) + top * c.y.spacing) * c.x.in + c.x.position(j) + left * c.x.spacing) * pixel_size;
      const Window window{at,
                          packed + left * tap,
                          c.y.in * c.x.in * pixel_size,
                          bottom - top,
                          c.y.spacing * c.x.in * pixel_size,
                          c.x.taps * tap,
                          side_by_side ? 1 : right - left,
                          c.x.spacing * pixel_size,
                          side_by_side ? (right - left) * c.in_channels : c.in_channels};
      const auto kernel = (blocks == 2 ? pixels<2> : pixels<1>)[static_cast<size_t>(outputs - 1)];
      kernel(window, bias ? bias + first : nullptr, row + (j * c.out_pixel() + first) * lanes, c.x.grid * c.out_pixel() * lanes);
    }
  }
}

void store_row(const Correlation& c, const float* row, int64_t image, int64_t images, int64_t i, float* out) {
  const int64_t size = c.y.out * c.x.out * c.out_pixel();
  if (c.x.every == 1) return deinterleave(row, c.x.grid * c.out_pixel(), images, size, out + c.output_offset(image, i, 0));
  for (int64_t j = 0; j < c.x.grid; ++j)
    deinterleave(row + j * c.out_pixel() * lanes, c.out_pixel(), images, size, out + c.output_offset(image, i, j));
}

}  // namespace

bool fits_images(const Correlation& c) {
  constexpr int64_t largest = 1 << 19;  // numbers in an image; a block of them must not take too much memory
  const int64_t rounded = (c.images + lanes - 1) / lanes * lanes;
  return 4 * c.images >= 3 * rounded && std::max(c.y.in * c.x.in * c.in_pixel(), c.y.out * c.x.out * c.out_pixel()) <= largest;
}

void correlate_images(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const Cuts cuts(c.out_channels, most_outputs);
  const Tensor packed = weight.packed(PackedWeights::images, [&] { return pack(c, weight, cuts); });
  const float* weights = static_cast<const float*>(packed.raw());
  const int64_t row = c.x.in * c.in_pixel(), image_size = c.y.in * row;
  const int64_t at_once = std::min(images_at_once(image_size), (c.images + lanes - 1) / lanes * lanes);
  Tensor interleaved = Tensor::empty({at_once * image_size});
  float* x = static_cast<float*>(interleaved.raw());
  const int64_t output_row = c.x.grid * c.out_pixel() * lanes;
  Scratch scratch(2 * output_row * static_cast<int64_t>(sizeof(float)), (at_once / lanes + 1) / 2 * c.y.grid);
  for (int64_t first = 0; first < c.images; first += at_once) {
    const int64_t images = std::min(at_once, c.images - first), blocks = (images + lanes - 1) / lanes;
    interleave_images(in + first * image_size, images, c.y.in, row, x);
    parallel_for((blocks + 1) / 2 * c.y.grid, 1, [&](int64_t unit, int64_t) {
      const Scratch::Lease lease(scratch);
      float* results = lease.as<float>();
      const int64_t block = unit / c.y.grid * 2, i = unit % c.y.grid, here = std::min<int64_t>(2, blocks - block);
      compute_row(c, x + block * image_size * lanes, here, weights, bias, cuts, i, results);
      for (int64_t n = block; n < block + here; ++n, results += output_row)
        store_row(c, results, first + n * lanes, std::min(lanes, images - n * lanes), i, out);
    });
  }
}

}  // namespace scry::kernels::conv
