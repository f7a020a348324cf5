#include <scry/core/blas_panels.hpp>
#include <scry/core/kernels/conv2d_channels.hpp>
#include <scry/core/kernels/conv2d_images.hpp>
#include <algorithm>

namespace scry::blas {
namespace {

using kernels::conv::lanes;
using kernels::conv::Lanes;
using kernels::conv::PixelSource;
using kernels::conv::Segments;

constexpr int64_t widest = 2 * lanes, depth = 256;  // of a panel: it stays in the first cache
constexpr int64_t rows_of_a_unit = 96;              // at least, where a product is cut by rows too: the panel is packed for each unit
constexpr int64_t wanted_units = 16;

// Rows [p, p + count) and columns [j, j + columns) of b, as [count, width] with zeros behind the columns.
void pack_panel(Matrix<float> b, float alpha, int64_t p, int64_t count, int64_t j, int64_t columns, int64_t width, float* to) {
  if (b.transposed) {
    for (int64_t v = 0; v < width; v += lanes)
      kernels::conv::interleave(b.data + (j + v) * b.stride + p, b.stride, std::clamp<int64_t>(columns - v, 0, lanes), count, to + v, width);
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const float* from = b.data + (p + i) * b.stride + j;
      std::copy_n(from, columns, to + i * width);
      std::fill_n(to + i * width + columns, width - columns, 0.0f);
    }
  }
  if (alpha != 1)
    for (int64_t i = 0; i < count * width; ++i) to[i] *= alpha;
}

// The panel's columns of rows [begin, end), through a buffer where they don't fill registers.
void multiply_panel(PixelSource s, int64_t width, int64_t begin, int64_t end, int64_t columns, float* c, int64_t c_stride) {
  const int64_t vectors = width / lanes;
  const float* x = s.x;
  if (columns == width) {
    s.x = x + begin * s.pixel;
    return kernels::conv::compute_pixels(s, vectors, end - begin, c + begin * c_stride, c_stride);
  }
  constexpr int64_t most = 48;
  alignas(64) float rows[most * widest], bias[widest]{};
  if (s.bias) std::copy_n(s.bias, columns, bias);
  if (s.bias) s.bias = bias;
  for (int64_t i = begin; i < end; i += most) {
    const int64_t count = std::min(most, end - i);
    if (s.adds)
      for (int64_t r = 0; r < count; ++r) std::copy_n(c + (i + r) * c_stride, columns, rows + r * width);
    s.x = x + i * s.pixel;
    kernels::conv::compute_pixels(s, vectors, count, rows, width);
    for (int64_t r = 0; r < count; ++r) std::copy_n(rows + r * width, columns, c + (i + r) * c_stride);
  }
}

// c[0, j] for one row of a and a transposed b, whose rows are read once, four at a time.
void multiply_row(int64_t begin, int64_t end, int64_t k, float alpha, const float* a, Matrix<float> b, const float* bias, bool adds, float* c) {
  constexpr int64_t together = 4;
  for (int64_t j = begin; j < end; j += together) {
    const int64_t count = std::min(together, end - j);
    Lanes sum[together]{Lanes(0.0f), Lanes(0.0f), Lanes(0.0f), Lanes(0.0f)};
    const float* rows[together];
    for (int64_t r = 0; r < together; ++r) rows[r] = b.data + (j + std::min(r, count - 1)) * b.stride;
    int64_t p = 0;
    for (; p + lanes <= k; p += lanes) {
      const Lanes value = Lanes::load_unaligned(a + p);
      for (int64_t r = 0; r < together; ++r) sum[r] = xsimd::fma(value, Lanes::load_unaligned(rows[r] + p), sum[r]);
    }
    for (int64_t r = 0; r < count; ++r) {
      float dot = xsimd::hadd(sum[r]);
      for (int64_t q = p; q < k; ++q) dot += a[q] * rows[r][q];
      c[j + r] = (adds ? c[j + r] : bias ? bias[j + r] : 0) + alpha * dot;
    }
  }
}

// For a transposed a. Neighbours in its columns lie far apart, often by a power of two that maps them all to one place of the cache, so a block of it
// is copied together, once for as many panels as a unit has.
void multiply_transposed(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, bool adds, const float* bias, float* c,
                         int64_t c_stride) {
  const int64_t panels = (n + widest - 1) / widest, cuts = (m + rows_of_a_unit - 1) / rows_of_a_unit;
  const int64_t groups = std::clamp<int64_t>((wanted_units + cuts - 1) / cuts, 1, panels);
  const int64_t together = std::max<int64_t>(1, (int64_t{1} << 18) / std::max<int64_t>(rows_of_a_unit * n * k / groups, 1));
  parallel_for(cuts * groups, together, [&](int64_t first, int64_t last) {
    alignas(64) float panel[depth * widest], block[depth * rows_of_a_unit];
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t i = unit / groups * rows_of_a_unit, rows = std::min(rows_of_a_unit, m - i);
      for (int64_t p = 0; p < std::max<int64_t>(k, 1); p += depth) {
        const int64_t count = std::min(depth, k - p);
        for (int64_t q = 0; q < count; q += lanes)
          kernels::conv::interleave(a.data + (p + q) * a.stride + i, a.stride, std::min(lanes, count - q), rows, block + q, depth);
        for (int64_t j = panels * (unit % groups) / groups * widest; j < std::min(n, panels * (unit % groups + 1) / groups * widest); j += widest) {
          const int64_t columns = std::min(widest, n - j), width = columns <= lanes ? lanes : widest;
          pack_panel(b, alpha, p, count, j, columns, width, panel);
          multiply_panel({block, depth, 1, 0, Segments(count), panel, bias && p == 0 ? bias + j : nullptr, adds || p > 0}, width, 0, rows, columns,
                         c + i * c_stride + j, c_stride);
        }
      }
    }
  });
}

}  // namespace

void multiply_panels(int64_t m, int64_t n, int64_t k, float alpha, Matrix<float> a, Matrix<float> b, float beta, const float* bias, float* c,
                     int64_t c_stride) {
  const bool adds = beta != 0;
  if (adds && beta != 1)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) c[i * c_stride + j] *= beta;
  if (m <= 4 && b.transposed && !a.transposed) {
    const int64_t grain = std::max<int64_t>(4, (int64_t{1} << 16) / std::max<int64_t>(m * k, 1) / 4 * 4);
    return parallel_for(n, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < m; ++i) multiply_row(begin, end, k, alpha, a.data + i * a.stride, b, bias, adds, c + i * c_stride);
    });
  }
  if (a.transposed) return multiply_transposed(m, n, k, alpha, a, b, adds, bias, c, c_stride);
  const int64_t panels = (n + widest - 1) / widest;
  const int64_t cuts = std::clamp<int64_t>((wanted_units + panels - 1) / panels, 1, std::max<int64_t>(1, m / rows_of_a_unit));
  const int64_t together = std::max<int64_t>(1, (int64_t{1} << 18) / std::max<int64_t>(m * widest * k / cuts, 1));  // units that are worth a thread
  parallel_for(panels * cuts, together, [&](int64_t first, int64_t last) {
    alignas(64) float panel[depth * widest];
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t j = unit / cuts * widest, columns = std::min(widest, n - j), width = columns <= lanes ? lanes : widest;
      const int64_t begin = m * (unit % cuts) / cuts, end = m * (unit % cuts + 1) / cuts;
      for (int64_t p = 0; p < std::max<int64_t>(k, 1); p += depth) {
        const int64_t count = std::min(depth, k - p);
        pack_panel(b, alpha, p, count, j, columns, width, panel);
        const float* start = bias && p == 0 ? bias + j : nullptr;
        multiply_panel({a.data + p, a.stride, 1, 0, Segments(count), panel, start, adds || p > 0}, width, begin, end, columns, c + j, c_stride);
      }
    }
  });
}

}  // namespace scry::blas
