#include <scry/core/kernels/conv2d_channels.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// `pixels` neighbouring pixels of the output times `vectors` registers of channels, all of which stay in registers: every weight that is
// loaded serves all pixels, every input number all channels.
template <int pixels, int vectors>
void tile(const PixelSource& s, float* out, int64_t out_pixel) {
  Lanes sum[pixels][vectors];
  for (int v = 0; v < vectors; ++v) {
    const Lanes start = s.bias ? Lanes::load_unaligned(s.bias + v * lanes) : Lanes(0.0f);
    for (int p = 0; p < pixels; ++p) sum[p][v] = start;
  }
  const float* w = s.weights;
  for (int64_t a = 0; a < s.rows; ++a)
    for (int64_t b = 0; b < s.segments.count; ++b) {
      const float* x = s.x + a * s.row + b * s.segments.stride;
      for (int64_t k = 0; k < s.segments.length; ++k, w += vectors * lanes) {
        Lanes weight[vectors];
        for (int v = 0; v < vectors; ++v) weight[v] = Lanes::load_aligned(w + v * lanes);
        for (int p = 0; p < pixels; ++p) {
          const Lanes value(x[p * s.pixel + k]);
          for (int v = 0; v < vectors; ++v) sum[p][v] = xsimd::fma(value, weight[v], sum[p][v]);
        }
      }
    }
  if (s.adds)
    for (int p = 0; p < pixels; ++p)
      for (int v = 0; v < vectors; ++v) sum[p][v] += Lanes::load_unaligned(out + p * out_pixel + v * lanes);
  for (int p = 0; p < pixels; ++p)
    for (int v = 0; v < vectors; ++v) sum[p][v].store_unaligned(out + p * out_pixel + v * lanes);
}

// As many pixels as leave registers for the weights, and for a number where the processor can't multiply straight from memory.
template <int vectors>
constexpr int most_pixels = vectors == 1 ? registers / 2 : registers * 3 / 8;

template <int vectors>
constexpr auto tiles = []<size_t... i>(std::index_sequence<i...>) {
  return std::array{&tile<static_cast<int>(i) + 1, vectors>...};
}
(std::make_index_sequence<static_cast<size_t>(most_pixels<vectors>)>());

// One grid row, in tiles of nearly the same width.
template <int vectors>
void row_of_tiles(PixelSource s, int64_t pixels, float* out, int64_t out_pixel) {
  const int64_t count = (pixels + most_pixels<vectors> - 1) / most_pixels<vectors>;
  const float* x = s.x;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t begin = pixels * t / count, end = pixels * (t + 1) / count;
    s.x = x + begin * s.pixel;
    tiles<vectors>[static_cast<size_t>(end - begin - 1)](s, out + begin * out_pixel, out_pixel);
  }
}

}  // namespace

void for_blocks(int64_t n, FunctionRef<void(int64_t)> body) {
  if (n >= 2 * thread_count()) return parallel_for(n, 1, [&](int64_t i, int64_t) { body(i); });
  for (int64_t i = 0; i < n; ++i) body(i);
}

void compute_pixels(const PixelSource& s, int64_t vectors, int64_t pixels, float* out, int64_t out_pixel) {
  vectors == 2 ? row_of_tiles<2>(s, pixels, out, out_pixel) : row_of_tiles<1>(s, pixels, out, out_pixel);
}

bool fits_channels(const Correlation& c) { return c.out_channels % lanes == 0; }

void correlate_channels(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const int64_t vectors = c.out_channels % (2 * lanes) == 0 ? 2 : 1, block = vectors * lanes;
  const Tensor packed = weight.packed(PackedWeights::channels, [&] { return pack(c, weight, Cuts(c.out_channels, block)); });
  const float* weights = static_cast<const float*>(packed.raw());
  const Bands bands(c);
  const int64_t row_of_taps = c.x.taps * c.in_channels * block, out_pixel = c.x.every * c.out_pixel();
  Scratch scratch(PaddedRows(c).buffer_size(bands) * static_cast<int64_t>(sizeof(float)), bands.count);
  parallel_for(bands.count, 1, [&](int64_t unit, int64_t) {
    const Scratch::Lease lease(scratch);
    const int64_t image = unit / bands.per_image, begin = unit % bands.per_image * bands.height, end = std::min(c.y.grid, begin + bands.height);
    PaddedRows rows(c);
    rows.load(in, image, begin, end, lease.as<float>());
    PixelSource source{nullptr, c.x.step * c.in_pixel(), 0, c.y.spacing * rows.row_size(), Segments(c), nullptr, nullptr};
    for (int64_t first = 0; first < c.out_pixel(); first += block) {
      const int64_t group = first / c.out_channels;
      source.bias = bias ? bias + first : nullptr;
      for (int64_t i = begin; i < end; ++i) {
        const int64_t top = c.y.first_tap(i), bottom = std::max(top, c.y.end_tap(i));
        source.rows = bottom - top;
        source.x = source.rows ? rows.at(i, top) + group * c.in_channels : nullptr;
        source.weights = weights + first / block * c.y.taps * row_of_taps + top * row_of_taps;
        compute_pixels(source, vectors, c.x.grid, out + c.output_offset(image, i, 0) + first, out_pixel);
      }
    }
  });
}

}  // namespace scry::kernels::conv
