#include <scry/core/kernels/conv2d_channels.hpp>
#include <scry/core/kernels/some.hpp>
#include <scry/core/kernels/turn.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

// `terms` neighbouring terms (columns and channels of the kernel's row) times `vectors` registers of output channels: sums [terms, vectors *
// lanes] stay in registers over a whole band; the loops are unrolled early, or the compiler would keep them in memory beside the masked load.
template <int terms, int vectors>
void tile(const TermSource& s, float* sums) {
  Lanes sum[terms][vectors];
  const Some<float> last(s.last);

#pragma GCC unroll 32
  for (int k = 0; k < terms; ++k)

#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) sum[k][v] = Lanes::load_aligned(sums + (k * vectors + v) * lanes);
  for (int64_t i = 0; i < s.rows; ++i) {
    const float *x = s.x + i * s.x_row, *g = s.gradient + i * s.gradient_row;
    for (int64_t j = 0; j < s.pixels; ++j, x += s.x_pixel, g += s.gradient_pixel) {
      Lanes gradient[vectors];

#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) gradient[v] = v + 1 < vectors ? Lanes::load_unaligned(g + v * lanes) : last.load(g + v * lanes);

#pragma GCC unroll 32
      for (int k = 0; k < terms; ++k) {
        const Lanes value(x[k]);

#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) sum[k][v] = xsimd::fma(value, gradient[v], sum[k][v]);
      }
    }
  }

#pragma GCC unroll 32
  for (int k = 0; k < terms; ++k)

#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) sum[k][v].store_aligned(sums + (k * vectors + v) * lanes);
}

template <int vectors>
constexpr int most_terms = vectors == 1 ? registers / 2 : registers * 3 / 8;

template <int vectors>
constexpr auto tiles = []<size_t... i>(std::index_sequence<i...>) {
  return std::array{&tile<static_cast<int>(i) + 1, vectors>...};
}
(std::make_index_sequence<static_cast<size_t>(most_terms<vectors>)>());

// All tiles of one segment of the kernel's row.
template <int vectors>
void segment_of_tiles(TermSource s, int64_t length, float* sums) {
  const int64_t count = (length + most_terms<vectors> - 1) / most_terms<vectors>;
  const float* x = s.x;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t begin = length * t / count, end = length * (t + 1) / count;
    s.x = x + begin;
    tiles<vectors>[static_cast<size_t>(end - begin - 1)](s, sums + begin * vectors * lanes);
  }
}

// The first and the end of the grid rows in [begin, end) whose tap row `a` lies on the image.
std::pair<int64_t, int64_t> rows_with_tap(const Axis& y, int64_t a, int64_t begin, int64_t end) {
  while (begin < end && (a < y.first_tap(begin) || a >= y.end_tap(begin))) ++begin;
  while (begin < end && (a < y.first_tap(end - 1) || a >= y.end_tap(end - 1))) --end;
  return {begin, end};
}

// Adds a band's part of the gradient to sums [groups, blocks][y.taps, x.taps * in_channels, channels of the block].
void add_band(const Correlation& c, const ChannelBlocks& blocks, const PaddedRows& rows, const float* gradient, int64_t begin, int64_t end,
              float* sums) {
  const Segments segments(c);
  const int64_t points = (end - begin) * c.x.grid, terms = c.x.taps * c.in_channels;
  parallel_for(c.groups * blocks.count * c.y.taps, grain_for(points * terms * blocks.width(0) / lanes), [&](int64_t from, int64_t to) {
    for (int64_t unit = from; unit < to; ++unit) {
      const int64_t a = unit % c.y.taps, block = unit / c.y.taps % blocks.count, group = unit / c.y.taps / blocks.count;
      const int64_t width = blocks.width(block);
      const auto [top, bottom] = rows_with_tap(c.y, a, begin, end);
      if (top == bottom) continue;
      TermSource s{nullptr,
                   gradient + top * c.x.grid * c.out_pixel() + group * c.out_channels + blocks.begin(block),
                   bottom - top,
                   c.y.step * rows.row_size(),
                   c.x.grid * c.out_pixel(),
                   c.x.grid,
                   c.x.step * c.in_pixel(),
                   c.out_pixel(),
                   blocks.last(block)};
      float* to_sums = sums + (group * blocks.padded + blocks.begin(block)) * c.terms() + a * terms * width;
      for (int64_t b = 0; b < segments.count; ++b) {
        s.x = rows.at(top, a) + b * segments.stride + group * c.in_channels;
        add_terms(s, blocks.vectors(block), segments.length, to_sums + b * segments.length * width);
      }
    }
  });
}

}  // namespace

void add_terms(const TermSource& s, int64_t vectors, int64_t length, float* sums) {
  vectors == 2 ? segment_of_tiles<2>(s, length, sums) : segment_of_tiles<1>(s, length, sums);
}

void unpack_weight_grad(const Correlation& c, const float* sums, const ChannelBlocks& blocks, float* out) {
  const Cuts inputs(c.in_channels, turned_together);
  const int64_t units = c.groups * blocks.count * inputs.count, taps = c.y.taps * c.x.taps;
  Scratch scratch(turned_together * taps * blocks.width(0) * static_cast<int64_t>(sizeof(float)), units);
  parallel_for(units, grain_for(inputs.length(0) * taps * blocks.width(0) * static_cast<int64_t>(sizeof(float))), [&](int64_t from, int64_t to) {
    const Scratch::Lease lease(scratch);
    for (int64_t unit = from; unit < to; ++unit) {
      const int64_t part = unit / inputs.count, group = part / blocks.count, block = part % blocks.count;
      const int64_t first = blocks.begin(block), width = blocks.width(block), channels = std::min(width, c.out_channels - first);
      const int64_t begin = inputs.begin(unit % inputs.count), end = inputs.begin(unit % inputs.count + 1);
      const float* panel = sums + (group * blocks.padded + first) * c.terms();
      float* rows = lease.as<float>();
      for (int64_t i = begin; i < end; ++i)
        for (int64_t tap = 0; tap < taps; ++tap)
          std::copy_n(panel + (tap * c.in_channels + i) * width, width, rows + ((i - begin) * taps + tap) * width);
      turn({reinterpret_cast<const std::byte*>(rows), channels, 1, (end - begin) * taps, width}, sizeof(float),
           reinterpret_cast<std::byte*>(out + ((group * c.out_channels + first) * c.in_channels + begin) * taps), c.in_channels * taps);
    }
  });
}

void weight_grad_channels(const Correlation& c, const float* in, const float* gradient, float* out) {
  const ChannelBlocks blocks(c.out_channels);
  const int64_t size = c.groups * blocks.padded * c.terms();
  constexpr int64_t in_cache = 1 << 15;  // numbers of a band, which all tiles read
  const Bands bands(c, std::max<int64_t>(1, in_cache / std::max<int64_t>(1, c.y.step * c.x.in * c.in_pixel() + c.x.grid * c.out_pixel())));
  constexpr int64_t points_of_a_piece = 256;  // beside which adding up a piece's sums is cheap
  const int64_t pieces = gradient_pieces(std::min(bands.count, std::max<int64_t>(1, c.points() / points_of_a_piece)), size);
  Tensor sums = Tensor::empty({pieces, size});
  float* all_sums = static_cast<float*>(sums.raw());
  Scratch scratch(PaddedRows(c).buffer_size(bands) * static_cast<int64_t>(sizeof(float)), pieces);
  for_blocks(pieces, [&](int64_t piece) {
    const Scratch::Lease lease(scratch);
    float* sum = all_sums + piece * size;
    std::fill_n(sum, size, 0.0f);
    PaddedRows rows(c);
    for (int64_t unit = bands.count * piece / pieces; unit < bands.count * (piece + 1) / pieces; ++unit) {
      const int64_t image = unit / bands.per_image, begin = unit % bands.per_image * bands.height, end = std::min(c.y.grid, begin + bands.height);
      rows.load(in, image, begin, end, lease.as<float>());
      const float* g = gradient + image * c.y.grid * c.x.grid * c.out_pixel();
      add_band(c, blocks, rows, g, begin, end, sum);
    }
  });
  add_pieces(all_sums, pieces, size);
  unpack_weight_grad(c, all_sums, blocks, out);
}

}  // namespace scry::kernels::conv
