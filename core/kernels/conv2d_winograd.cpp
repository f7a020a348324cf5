#include <scry/core/kernels/conv2d_winograd.hpp>

namespace scry::kernels::conv {
namespace {

// Bᵀ d
[[gnu::always_inline]] inline void input_line(const Lanes (&d)[6], Lanes (&t)[6]) {
  const Lanes four(4.0f), five(5.0f), two(2.0f);
  const Lanes a = xsimd::fnma(four, d[2], d[4]), b = xsimd::fnma(four, d[1], d[3]), p = d[4] - d[2], q = d[3] - d[1];
  t[0] = xsimd::fma(four, d[0], xsimd::fnma(five, d[2], d[4]));
  t[1] = a + b;
  t[2] = a - b;
  t[3] = xsimd::fma(two, q, p);
  t[4] = xsimd::fnma(two, q, p);
  t[5] = xsimd::fma(four, d[1], xsimd::fnma(five, d[3], d[5]));
}

// G g
[[gnu::always_inline]] inline void weight_line(const Lanes (&g)[3], Lanes (&u)[6]) {
  const Lanes sum = (g[0] + g[2]) * Lanes(-1.0f / 6), far = xsimd::fma(g[2], Lanes(1.0f / 6), g[0] * Lanes(1.0f / 24));
  const Lanes near = g[1] * Lanes(1.0f / 6), mid = g[1] * Lanes(1.0f / 12);
  u[0] = g[0] * Lanes(0.25f);
  u[1] = sum - near;
  u[2] = sum + near;
  u[3] = far + mid;
  u[4] = far - mid;
  u[5] = g[2];
}

// Aᵀ m
[[gnu::always_inline]] inline void output_line(const Lanes (&m)[6], Lanes (&y)[4]) {
  const Lanes p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
  y[0] = m[0] + p + r;
  y[1] = xsimd::fma(Lanes(2.0f), s, q);
  y[2] = xsimd::fma(Lanes(4.0f), r, p);
  y[3] = xsimd::fma(Lanes(8.0f), s, q) + m[5];
}

// G g Gᵀ of all weights: [36, blocks, in_channels, block].
Tensor transform_weights(const Correlation& c, const Weight<float>& weight, const OutputBlocks& outputs) {
  const int64_t component = outputs.count * outputs.block * c.in_channels;
  Tensor packed = Tensor::empty({Components::count, component});
  float* all = static_cast<float*>(packed.raw());
  const Cuts cuts(c.in_channels, turned_together);
  parallel_for(outputs.count * outputs.vectors * cuts.count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t vector = unit / cuts.count, cut = unit % cuts.count;
      alignas(64) float turned[turned_together][9][lanes];
      turn_weights(c, weight, 0, vector * lanes, lanes, cuts.begin(cut), cuts.begin(cut + 1), turned[0][0]);
      for (int64_t i = 0; i < cuts.length(cut); ++i) {
        float* to = all + (vector / outputs.vectors * c.in_channels + cuts.begin(cut) + i) * outputs.block + vector % outputs.vectors * lanes;
        transform<3, 6>([&](int a, int b) { return Lanes::load_aligned(turned[i][weight.place(c, a, b)]); }, weight_line,
                        [&](int a, int b, Lanes value) { value.store_aligned(to + (a * 6 + b) * component); });
      }
    }
  });
  return packed;
}

// Aᵀ m A of tiles [first, first + count), plus the bias, to where it belongs.
void transform_outputs(const Correlation& c, const Tiles& tiles, int64_t first, int64_t count, const Components& at, const float* from,
                       const float* bias, float* out) {
  const int64_t pixel = c.out_pixel(), row = c.x.out * pixel;
  parallel_for(count, grain_for(Components::count * at.channels * static_cast<int64_t>(sizeof(float))), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto [image, i, j] = tiles.at(first + t);
      const int64_t rows = c.y.grid - i, columns = c.x.grid - j;
      float* tile = out + c.output_offset(image, i, j);
      for (int64_t v = 0; v < c.out_channels; v += lanes) {
        const int64_t width = c.out_channels - v;
        const Lanes start = bias ? load_some(bias + v, width) : Lanes(0.0f);
        const float* m = from + t * at.channels + v;
        const auto load = [&](int a, int b) { return Lanes::load_aligned(m + (a * 6 + b) * at.plane); };
        const bool whole = rows >= 4 && columns >= 4 && width >= lanes;
        if (whole && c.adds)
          transform<6, 4>(load, output_line, [&](int a, int b, Lanes y) {
            float* to = tile + a * row + b * pixel + v;
            (y + Lanes::load_unaligned(to)).store_unaligned(to);
          });
        else if (whole)
          transform<6, 4>(load, output_line, [&](int a, int b, Lanes y) { (y + start).store_unaligned(tile + a * row + b * pixel + v); });
        else
          transform<6, 4>(load, output_line, [&](int a, int b, Lanes y) {
            float* to = tile + a * row + b * pixel + v;
            if (a < rows && b < columns) store_some(y + (c.adds ? load_some(to, width) : start), to, width);
          });
      }
    }
  });
}

constexpr int64_t summed = 128;  // channels in a row; sums of such sums round less than one long sum

// Tiles that go through the products together: as many as stay in L2 beside the weights, more where the weights don't.
int64_t tiles_of_a_block(const Correlation& c) {
  const int64_t weights = Components::count * c.in_channels * c.out_channels;
  return weights <= (1 << 18) ? 32 : 64;
}

}  // namespace

void transform_inputs(const Correlation& c, const Tiles& tiles, int64_t first, int64_t count, const float* in, const Components& at, float* to) {
  const int64_t pixel = c.in_pixel(), row = c.x.in * pixel;
  // In the gap behind a component, where the compiler doesn't know what it is: it would compute with the zeros in branches of their own.
  float* const nothing = to + at.plane - lanes;
  Lanes(0.0f).store_unaligned(nothing);
  parallel_for(count, grain_for(Components::count * at.channels * static_cast<int64_t>(sizeof(float))), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto [image, i, j] = tiles.at(first + t);
      const int64_t y = c.y.position(i), x = c.x.position(j), start = (image * c.y.in + y) * row + x * pixel;
      bool row_there[6], column_there[6], all_there = true;
      for (int k = 0; k < 6; ++k) {
        row_there[k] = y + k >= 0 && y + k < c.y.in;
        column_there[k] = x + k >= 0 && x + k < c.x.in;
        all_there &= row_there[k] && column_there[k];
      }
      for (int64_t v = 0; v < c.in_channels; v += lanes) {
        const int64_t width = c.in_channels - v;
        float* d = to + t * at.channels + v;
        const auto store = [&](int a, int b, Lanes value) { value.store_aligned(d + (a * 6 + b) * at.plane); };
        const auto there = [&](int a, int b) { return in + (start + a * row + b * pixel + v); };
        const auto there_or_nothing = [&](int a, int b) -> const float* { return row_there[a] && column_there[b] ? there(a, b) : nothing; };
        if (width < lanes)
          transform<6, 6>([&](int a, int b) { return Some<float>(width).load(there_or_nothing(a, b)); }, input_line, store);
        else if (!all_there)
          transform<6, 6>([&](int a, int b) { return Lanes::load_unaligned(there_or_nothing(a, b)); }, input_line, store);
        else
          transform<6, 6>([&](int a, int b) { return Lanes::load_unaligned(there(a, b)); }, input_line, store);
      }
    }
  });
}

bool fits_winograd(const Correlation& c) {
  const auto fits = [](const Axis& axis) { return axis.taps == 3 && axis.step == 1 && axis.spacing == 1 && axis.every == 1; };
  constexpr int64_t channels = 12, tiles = 32;  // below which the transforms, of the weights where tiles are few, outweigh the products
  return fits(c.y) && fits(c.x) && c.groups == 1 && std::min(c.in_channels, c.out_channels) >= channels && Tiles(c).count >= tiles;
}

bool fills_registers(const Correlation& c) {
  const OutputBlocks outputs(c.out_channels);
  return std::min(c.in_channels, c.out_channels) >= 16 && 4 * c.out_channels >= 3 * outputs.count * outputs.block;
}

void correlate_winograd(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const OutputBlocks outputs(c.out_channels);
  const Tensor packed = weight.packed(PackedWeights::winograd, [&] { return transform_weights(c, weight, outputs); });
  const float* weights = static_cast<const float*>(packed.raw());
  const Tiles tiles(c);
  const Cuts blocks(tiles.count, tiles_of_a_block(c));
  const int64_t most = (tiles.count + blocks.count - 1) / blocks.count;
  const Components inputs(most, c.in_channels), products(most, c.out_channels);
  Scratch scratch((inputs.size() + products.size()) * static_cast<int64_t>(sizeof(float)), blocks.count);
  for_blocks(blocks.count, [&](int64_t b) {
    const Scratch::Lease lease(scratch);
    float *data = lease.as<float>(), *product = data + inputs.size();
    const int64_t first = blocks.begin(b), count = blocks.length(b);
    const Ahead next(in, c.y.in * c.x.in * c.in_channels, tiles, first + count, count);
    const Ahead results(out, c.y.out * c.x.out * c.out_channels, tiles, first, count);
    transform_inputs(c, tiles, first, count, in, inputs, data);
    parallel_for(Components::count * outputs.count, grain_for(count * c.in_channels * outputs.block / 4), [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t component = unit / outputs.count, block = unit % outputs.count;
        if (block == 0) {
          next.fetch<false>(component);
          results.fetch<true>(component);
        }
        float* to = product + component * products.plane + block * outputs.block;
        const float *from = data + component * inputs.plane, *w = weights + unit * c.in_channels * outputs.block;
        for (int64_t i = 0; i < c.in_channels; i += summed) {
          const PixelSource source{from + i, inputs.channels, 1, 0, Segments(std::min(summed, c.in_channels - i)), w + i * outputs.block, nullptr,
                                   i > 0};
          compute_pixels(source, outputs.vectors, count, to, products.channels);
        }
      }
    });
    transform_outputs(c, tiles, first, count, products, product, bias, out);
  });
}

}  // namespace scry::kernels::conv
