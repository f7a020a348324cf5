#include <scry/core/kernels/conv2d_winograd.hpp>

namespace scry::kernels::conv {
namespace {

// A y
[[gnu::always_inline]] inline void gradient_line(const Lanes (&y)[4], Lanes (&m)[6]) {
  const Lanes four(4.0f), two(2.0f);
  const Lanes p = y[0] + y[2], q = y[1] + y[3], r = xsimd::fma(four, y[2], y[0]), s = xsimd::fma(four, y[3], y[1]);
  m[0] = y[0];
  m[1] = p + q;
  m[2] = p - q;
  m[3] = xsimd::fma(two, s, r);
  m[4] = xsimd::fnma(two, s, r);
  m[5] = y[3];
}

// Gᵀ u
[[gnu::always_inline]] inline void weight_line(const Lanes (&u)[6], Lanes (&g)[3]) {
  const Lanes near = (u[1] + u[2]) * Lanes(-1.0f / 6), far = u[3] + u[4];
  g[0] = xsimd::fma(u[0], Lanes(0.25f), xsimd::fma(far, Lanes(1.0f / 24), near));
  g[1] = xsimd::fma(u[2] - u[1], Lanes(1.0f / 6), (u[3] - u[4]) * Lanes(1.0f / 12));
  g[2] = xsimd::fma(far, Lanes(1.0f / 6), near) + u[5];
}

// A y Aᵀ of the gradients of tiles [first, first + count), into components `to`.
void transform_gradients(const Correlation& c, const Tiles& tiles, int64_t first, int64_t count, const float* gradient, const Components& at,
                         float* to) {
  static constexpr float nothing[lanes]{};
  const int64_t pixel = c.out_pixel(), row = c.x.out * pixel;
  parallel_for(count, grain_for(Components::count * at.channels * static_cast<int64_t>(sizeof(float))), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto [image, i, j] = tiles.at(first + t);
      const int64_t rows = c.y.grid - i, columns = c.x.grid - j;
      const float* tile = gradient + c.output_offset(image, i, j);
      for (int64_t v = 0; v < at.channels; v += lanes) {
        const int64_t width = c.out_channels - v;
        float* m = to + t * at.channels + v;
        const auto store = [&](int a, int b, Lanes value) { value.store_aligned(m + (a * 6 + b) * at.plane); };
        if (rows >= 4 && columns >= 4 && width >= lanes)
          transform<4, 6>([&](int a, int b) { return Lanes::load_unaligned(tile + a * row + b * pixel + v); }, gradient_line, store);
        else
          transform<4, 6>([&](int a, int b) { return load_some(a < rows && b < columns ? tile + a * row + b * pixel + v : nothing, width); },
                          gradient_line, store);
      }
    }
  });
}

// Gᵀ u G of the sums of products [36, blocks, in_channels, block], to [blocks, 9, in_channels, block].
void transform_sums(const Correlation& c, const OutputBlocks& outputs, const float* from, float* to) {
  const int64_t run = c.in_channels * outputs.block, component = outputs.count * run;
  parallel_for(component / lanes, 64, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t at = unit * lanes;
      float* taps = to + at / run * 9 * run + at % run;
      transform<6, 3>([&](int a, int b) { return Lanes::load_aligned(from + (a * 6 + b) * component + at); }, weight_line,
                      [&](int a, int b, Lanes value) { value.store_aligned(taps + (a * 3 + b) * run); });
    }
  });
}

constexpr int64_t tiles_of_a_block = 64;
constexpr int64_t tiles_of_a_piece = 128;  // beside which the transform of a piece's sums is cheap

}  // namespace

void weight_grad_winograd(const Correlation& c, const float* in, const float* gradient, float* out) {
  const OutputBlocks outputs(c.out_channels);
  const Tiles tiles(c);
  const int64_t run = c.in_channels * outputs.block, sums_size = Components::count * outputs.count * run, size = 9 * outputs.count * run;
  const int64_t pieces = gradient_pieces(std::max<int64_t>(1, tiles.count / tiles_of_a_piece), size);
  const int64_t most = std::min(tiles.count, tiles_of_a_block);
  const Components inputs(most, c.in_channels), gradients(most, c.out_channels);
  Tensor results = Tensor::empty({pieces, size});
  float* all_results = static_cast<float*>(results.raw());
  Scratch scratch((sums_size + inputs.size() + gradients.size()) * static_cast<int64_t>(sizeof(float)), pieces);
  for_blocks(pieces, [&](int64_t piece) {
    const Scratch::Lease lease(scratch);
    float *sums = lease.as<float>(), *data = sums + sums_size, *g = data + inputs.size();
    std::fill_n(sums, sums_size, 0.0f);
    const int64_t end = tiles.count * (piece + 1) / pieces;
    for (int64_t first = tiles.count * piece / pieces; first < end; first += tiles_of_a_block) {
      const int64_t count = std::min(tiles_of_a_block, end - first);
      const Ahead next(in, c.y.in * c.x.in * c.in_channels, tiles, first + count, count);
      const Ahead next_gradients(gradient, c.y.out * c.x.out * c.out_channels, tiles, first + count, count);
      transform_inputs(c, tiles, first, count, in, inputs, data);
      transform_gradients(c, tiles, first, count, gradient, gradients, g);
      parallel_for(Components::count * outputs.count, grain_for(count * c.in_channels * outputs.block / 4), [&](int64_t begin, int64_t until) {
        for (int64_t unit = begin; unit < until; ++unit) {
          const int64_t component = unit / outputs.count, block = unit % outputs.count;
          if (block == 0) {
            next.fetch<false>(component);
            next_gradients.fetch<false>(component);
          }
          const TermSource source{data + component * inputs.plane,
                                  g + component * gradients.plane + block * outputs.block,
                                  1,
                                  0,
                                  0,
                                  count,
                                  inputs.channels,
                                  gradients.channels};
          add_terms(source, outputs.vectors, c.in_channels, sums + unit * run);
        }
      });
    }
    transform_sums(c, outputs, sums, all_results + piece * size);
  });
  add_pieces(all_results, pieces, size);
  unpack_weight_grad(c, all_results, ChannelBlocks(c.out_channels, outputs.block), out);
}

}  // namespace scry::kernels::conv
