#include <scry/core/blas.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <algorithm>

namespace scry::kernels::conv {
namespace {

constexpr int64_t patch_elements = 1 << 16;  // of a block of patches: it stays in L2 beside the weights

int64_t rows_of_a_block(const Correlation& c) {
  const int64_t in_cache = std::clamp<int64_t>(patch_elements / std::max<int64_t>(c.terms(), 1) / 16 * 16, 64, 1024);
  return std::min(in_cache, std::max<int64_t>(1, (c.points() + 63) / 64) * 16);  // but four blocks where there is little to do
}

// Calls body(piece) for each of them, always inside a parallel loop: there BLAS runs in one thread, and its results depend on how many it uses.
void for_pieces(int64_t pieces, FunctionRef<void(int64_t piece)> body) {
  parallel_for(std::max<int64_t>(pieces, 2), 1, [&](int64_t piece, int64_t) {
    if (piece < pieces) body(piece);
  });
}

// One channel group's patches of grid points [begin, end), a row each: [y.taps, x.taps, in_channels].
void gather_patches(const Correlation& c, const double* in, int64_t group, int64_t begin, int64_t end, double* rows) {
  const int64_t run = c.in_channels, pixel = c.in_pixel();
  const bool whole_pixels = c.x.spacing == 1 && run == pixel;  // neighbouring taps lie side by side
  for (int64_t p = begin; p < end; ++p, rows += c.terms()) {
    const int64_t j = p % c.x.grid, i = p / c.x.grid % c.y.grid, image = p / (c.x.grid * c.y.grid);
    const int64_t left = c.x.first_tap(j), right = std::max(left, c.x.end_tap(j)), top = c.y.first_tap(i), bottom = std::max(top, c.y.end_tap(i));
    const int64_t row_size = c.x.taps * run;
    std::fill_n(rows, top * row_size, 0.0);
    for (int64_t a = top; a < bottom; ++a) {
      double* to = rows + a * row_size;
      const double* from = c.input_row(in, image, c.y.position(i) + a * c.y.spacing) + c.x.position(j) * pixel + group * run;
      std::fill_n(to, left * run, 0.0);
      if (whole_pixels) {
        std::copy_n(from + left * run, (right - left) * run, to + left * run);
      } else {
        for (int64_t b = left; b < right; ++b) std::copy_n(from + b * c.x.spacing * pixel, run, to + b * run);
      }
      std::fill_n(to + right * run, (c.x.taps - right) * run, 0.0);
    }
    std::fill_n(rows + bottom * row_size, (c.y.taps - bottom) * row_size, 0.0);
  }
}

}  // namespace

void correlate_general(const Correlation& c, const double* in, const Weight<double>& weight, const double* bias, double* out) {
  const Tensor packed = weight.packed(PackedWeights::general, [&] { return pack(c, weight, Cuts(c.out_channels, c.out_channels)); });
  const double* weights = static_cast<const double*>(packed.raw());
  const int64_t terms = c.terms(), pixel = c.out_pixel(), block = rows_of_a_block(c);
  // A kernel of one tap on every pixel reads the rows where they are; a grid on every pixel writes them where they go.
  const bool patches_in_place = c.y.taps == 1 && c.x.taps == 1 && c.y.step == 1 && c.x.step == 1 && c.y.start == 0 && c.x.start == 0 &&
                                c.y.in == c.y.grid && c.x.in == c.x.grid;
  const bool rows_in_place = c.y.every == 1 && c.x.every == 1;
  const int64_t patches_size = patches_in_place ? 0 : block * terms;
  const int64_t blocks = (c.points() + block - 1) / block;
  Scratch scratch((patches_size + (rows_in_place ? 0 : block * pixel)) * static_cast<int64_t>(sizeof(double)), blocks);
  for_pieces(blocks, [&](int64_t piece) {
    const int64_t begin = piece * block, end = std::min(c.points(), begin + block);
    const Scratch::Lease lease(scratch);
    double* patches = lease.as<double>();
    double* rows = rows_in_place ? out + begin * pixel : patches + patches_size;
    if (bias)
      for (int64_t p = begin; p < end; ++p) std::copy_n(bias, pixel, rows + (p - begin) * pixel);
    for (int64_t group = 0; group < c.groups; ++group) {
      if (!patches_in_place) gather_patches(c, in, group, begin, end, patches);
      const blas::Matrix<double> a = patches_in_place ? blas::Matrix<double>{in + begin * c.in_pixel() + group * c.in_channels, c.in_pixel()}
                                                      : blas::Matrix<double>{patches, std::max<int64_t>(terms, 1)};
      blas::gemm(end - begin, c.out_channels, terms, 1.0, a, {weights + group * terms * c.out_channels, c.out_channels}, bias ? 1.0 : 0.0,
                 rows + group * c.out_channels, pixel);
    }
    if (rows_in_place) return;
    for (int64_t p = begin; p < end; ++p)
      std::copy_n(rows + (p - begin) * pixel, pixel, out + c.output_offset(p / (c.x.grid * c.y.grid), p / c.x.grid % c.y.grid, p % c.x.grid));
  });
}

void weight_grad_general(const Correlation& c, const double* in, const double* gradient, double* out) {
  const int64_t terms = c.terms(), size = c.out_pixel() * terms, block = rows_of_a_block(c);
  const int64_t blocks = (c.points() + block - 1) / block, pieces = gradient_pieces(blocks, size);
  Tensor sums = Tensor::empty({pieces, size}, f64);
  double* all_sums = static_cast<double*>(sums.raw());
  Scratch scratch(block * terms * static_cast<int64_t>(sizeof(double)), pieces);
  for_pieces(pieces, [&](int64_t piece) {
    const Scratch::Lease lease(scratch);
    double* patches = lease.as<double>();
    double* sum = all_sums + piece * size;
    std::fill_n(sum, size, 0.0);
    for (int64_t b = blocks * piece / pieces; b < blocks * (piece + 1) / pieces; ++b) {
      const int64_t begin = b * block, end = std::min(c.points(), begin + block);
      for (int64_t group = 0; group < c.groups; ++group) {
        gather_patches(c, in, group, begin, end, patches);
        const blas::Matrix<double> rows{gradient + begin * c.out_pixel() + group * c.out_channels, c.out_pixel(), true};
        blas::gemm(c.out_channels, terms, end - begin, 1.0, rows, {patches, terms}, 1.0, sum + group * c.out_channels * terms, terms);
      }
    }
  });
  add_pieces(all_sums, pieces, size);
  const int64_t taps = c.y.taps * c.x.taps;  // [O, taps, I] to [O, I, taps]
  parallel_for(c.out_pixel(), grain_for(2 * terms * static_cast<int64_t>(sizeof(double))), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < c.in_channels; ++i)
        for (int64_t tap = 0; tap < taps; ++tap) out[(o * c.in_channels + i) * taps + tap] = all_sums[(o * taps + tap) * c.in_channels + i];
  });
}

}  // namespace scry::kernels::conv
