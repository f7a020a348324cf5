#include <scry/core/kernels/conv2d_channels.hpp>
#include <scry/core/kernels/some.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// `pixels` neighbouring pixels of the output times `vectors` registers of channels, all of which stay in registers: every weight that is
// loaded serves all pixels, every input number all channels.
template <int pixels, int vectors>
void tile(const PixelSource& s, float* out, int64_t out_pixel) {
  Lanes sum[pixels][vectors];
  const Some<float> last(s.last);
  const auto load = [&](const float* from, int v) { return v + 1 < vectors ? Lanes::load_unaligned(from) : last.load(from); };
  for (int v = 0; v < vectors; ++v) {
    const Lanes start = s.bias ? load(s.bias + v * lanes, v) : Lanes(0.0f);
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
      for (int v = 0; v < vectors; ++v) sum[p][v] += load(out + p * out_pixel + v * lanes, v);
  for (int p = 0; p < pixels; ++p) {
    for (int v = 0; v + 1 < vectors; ++v) sum[p][v].store_unaligned(out + p * out_pixel + v * lanes);
    last.store(sum[p][vectors - 1], out + p * out_pixel + (vectors - 1) * lanes);
  }
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

// The weights of each group as [blocks][terms, channels of the block], with zeros behind the last channel.
Tensor pack_blocks(const Correlation& c, const Weight<float>& weight, const ChannelBlocks& blocks) {
  const Cuts inputs(c.in_channels, turned_together);
  const int64_t units = c.groups * blocks.count * inputs.count, kernel = weight.kernel();
  Tensor packed = Tensor::empty({c.groups * blocks.padded * c.terms()});
  float* all = static_cast<float*>(packed.raw());
  Scratch scratch(turned_together * kernel * blocks.width(0) * static_cast<int64_t>(sizeof(float)), units);
  parallel_for(units, grain_for(inputs.length(0) * kernel * blocks.width(0) * static_cast<int64_t>(sizeof(float))), [&](int64_t from, int64_t to) {
    const Scratch::Lease lease(scratch);
    for (int64_t unit = from; unit < to; ++unit) {
      const int64_t part = unit / inputs.count, group = part / blocks.count, block = part % blocks.count;
      const int64_t first = blocks.begin(block), width = blocks.width(block);
      const int64_t begin = inputs.begin(unit % inputs.count), end = inputs.begin(unit % inputs.count + 1);
      float *turned = lease.as<float>(), *panel = all + (group * blocks.padded + first) * c.terms();
      turn_weights(c, weight, group, first, width, begin, end, turned);
      for (int64_t a = 0; a < c.y.taps; ++a)
        for (int64_t b = 0; b < c.x.taps; ++b) {
          const float* tap = turned + weight.place(c, a, b) * width;
          float* row = panel + ((a * c.x.taps + b) * c.in_channels + begin) * width;
          for (int64_t i = begin; i < end; ++i, tap += kernel * width, row += width) std::copy_n(tap, width, row);
        }
    }
  });
  return packed;
}

}  // namespace

void for_blocks(int64_t n, FunctionRef<void(int64_t)> body) {
  if (n >= 2 * thread_count()) return parallel_for(n, 1, [&](int64_t i, int64_t) { body(i); });
  for (int64_t i = 0; i < n; ++i) body(i);
}

void for_bands(const Correlation& c, const float* in, FunctionRef<void(int64_t, int64_t, int64_t, const PaddedRows&, PixelSource)> body) {
  const Bands bands(c);
  Scratch scratch(PaddedRows(c).buffer_size(bands) * static_cast<int64_t>(sizeof(float)), bands.count);
  parallel_for(bands.count, 1, [&](int64_t unit, int64_t) {
    const Scratch::Lease lease(scratch);
    const int64_t image = unit / bands.per_image, begin = unit % bands.per_image * bands.height, end = std::min(c.y.grid, begin + bands.height);
    PaddedRows rows(c);
    rows.load(in, image, begin, end, lease.as<float>());
    body(image, begin, end, rows, {nullptr, c.x.step * c.in_pixel(), 0, c.y.spacing * rows.row_size(), Segments(c), nullptr, nullptr});
  });
}

void compute_pixels(const PixelSource& s, int64_t vectors, int64_t pixels, float* out, int64_t out_pixel) {
  vectors == 2 ? row_of_tiles<2>(s, pixels, out, out_pixel) : row_of_tiles<1>(s, pixels, out, out_pixel);
}

bool fills_channels(const Correlation& c) { return c.out_channels % lanes == 0; }
bool nearly_fills_channels(const Correlation& c) { return 4 * c.out_channels >= 3 * ChannelBlocks(c.out_channels).padded; }

void correlate_channels(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const ChannelBlocks blocks(c.out_channels);
  const Tensor packed = weight.packed(PackedWeights::channels, [&] { return pack_blocks(c, weight, blocks); });
  const float* weights = static_cast<const float*>(packed.raw());
  const int64_t out_pixel = c.x.every * c.out_pixel();
  for_bands(c, in, [&](int64_t image, int64_t begin, int64_t end, const PaddedRows& rows, PixelSource source) {
    source.adds = c.adds;
    for (int64_t part = 0; part < c.groups * blocks.count; ++part) {
      const int64_t group = part / blocks.count, block = part % blocks.count, first = group * c.out_channels + blocks.begin(block);
      const float* of_block = weights + (group * blocks.padded + blocks.begin(block)) * c.terms();
      source.bias = bias ? bias + first : nullptr;
      source.last = blocks.last(block);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t top = c.y.first_tap(i), bottom = std::max(top, c.y.end_tap(i));
        source.rows = bottom - top;
        source.x = source.rows ? rows.at(i, top) + group * c.in_channels : nullptr;
        source.weights = of_block + top * c.x.taps * c.in_channels * blocks.width(block);
        compute_pixels(source, blocks.vectors(block), c.x.grid, out + c.output_offset(image, i, 0) + first, out_pixel);
      }
    }
  });
}

}  // namespace scry::kernels::conv
