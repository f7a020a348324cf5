#include <scry/core/blas_panels.hpp>
#include <scry/core/kernels/conv2d_images.hpp>
#include <scry/core/kernels/panel.hpp>
#include <algorithm>

namespace scry::blas {
namespace {

using kernels::PanelRows;
using kernels::conv::lanes;
using kernels::conv::Lanes;

constexpr int64_t widest = 2 * lanes, depth = 256;  // of a panel: it stays in the first cache
constexpr int64_t fewest_rows = 96;                 // where a product is cut by rows too: the panel is packed for each unit
constexpr int64_t most_rows = 128;                  // of a block of a transposed matrix: it stays in the second cache

// Rows of numbers, filled up to whole registers with zeros.
void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  const int64_t whole = columns / lanes * lanes, padded = (columns + lanes - 1) / lanes * lanes;
  for (int64_t i = 0; i < rows; ++i, from += from_stride, to += to_stride) {
    for (int64_t j = 0; j < whole; j += lanes) Lanes::load_unaligned(from + j).store_aligned(to + j);
    if (whole == padded) continue;
    std::copy(from + whole, from + columns, to + whole);
    std::fill(to + columns, to + padded, 0.0f);
  }
}

// Rows [p, p + count) and columns [j, j + columns) of b, as [count, width] with zeros behind the columns.
void pack_panel(Matrix<float> b, float alpha, int64_t p, int64_t count, int64_t j, int64_t columns, int64_t width, float* to) {
  if (b.transposed) {
    for (int64_t v = 0; v < width; v += lanes)
      kernels::conv::interleave(b.data + (j + v) * b.stride + p, b.stride, std::clamp<int64_t>(columns - v, 0, lanes), count, to + v, width);
  } else {
    copy_rows(b.data + p * b.stride + j, b.stride, count, columns, to, width);
  }
  if (alpha != 1)
    for (int64_t i = 0; i < count * width; ++i) to[i] *= alpha;
}

// `columns` columns of some rows of c as a product with the panel, or added to them or to a bias.
void multiply_panel(PanelRows<float> a, int64_t rows, int64_t count, const float* panel, int64_t columns, float* c, int64_t c_stride, bool adds,
                    const float* bias) {
  const auto product = columns <= lanes ? kernels::panel_product<float, 1> : kernels::panel_product<float, 2>;
  if (columns % lanes == 0) return product(a, rows, count, panel, c, c_stride, adds, bias);
  constexpr int64_t most = 48;
  alignas(64) float buffer[most * widest], own_bias[widest]{};
  if (bias) std::copy_n(bias, columns, own_bias);
  for (int64_t i = 0; i < rows; i += most, a.data += most * a.row, c += most * c_stride) {
    const int64_t some = std::min(most, rows - i);
    if (adds)
      for (int64_t r = 0; r < some; ++r) std::copy_n(c + r * c_stride, columns, buffer + r * widest);
    product(a, some, count, panel, buffer, widest, adds, own_bias);
    for (int64_t r = 0; r < some; ++r) std::copy_n(buffer + r * widest, columns, c + r * c_stride);
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

// How a product is cut into units: by groups of panels and, where these are few or a is transposed, by rows. No element depends on the cut, so the
// cut may depend on the threads.
struct Units {
  int64_t panels, cuts, groups;
  Units(int64_t m, int64_t n, bool transposed) : panels((n + widest - 1) / widest) {
    const int64_t wanted = thread_count() > 1 ? 8 * thread_count() : 1;
    const int64_t most_cuts = std::max<int64_t>(1, m / fewest_rows);
    cuts = transposed ? (m + most_rows - 1) / most_rows : std::clamp<int64_t>((wanted + panels - 1) / panels, 1, most_cuts);
    groups = transposed ? std::clamp<int64_t>((wanted + cuts - 1) / cuts, 1, panels) : panels;
  }
};

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
  const Units units(m, n, a.transposed);
  const int64_t together = std::max<int64_t>(1, (int64_t{1} << 18) * units.cuts * units.groups / std::max<int64_t>(m * n * k, 1));  // worth a thread
  parallel_for(units.cuts * units.groups, together, [&](int64_t first, int64_t last) {
    alignas(64) float panel[depth * widest], block[depth * most_rows];
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t group = unit / units.cuts, cut = unit % units.cuts, begin = m * cut / units.cuts, rows = m * (cut + 1) / units.cuts - begin;
      const int64_t left = units.panels * group / units.groups * widest, right = std::min(n, units.panels * (group + 1) / units.groups * widest);
      for (int64_t p = 0; p < std::max<int64_t>(k, 1); p += depth) {
        const int64_t count = std::min(depth, k - p);
        PanelRows<float> source{a.data + begin * a.stride + p, a.stride};
        // Neighbours in a column lie far apart, often by a power of two that maps them all to one place of the cache.
        if (a.transposed) {
          copy_rows(a.data + p * a.stride + begin, a.stride, count, rows, block, most_rows);
          source = {block, 1, most_rows};
        }
        for (int64_t j = left; j < right; j += widest) {
          const int64_t columns = std::min(widest, n - j), width = columns <= lanes ? lanes : widest;
          pack_panel(b, alpha, p, count, j, columns, width, panel);
          multiply_panel(source, rows, count, panel, columns, c + begin * c_stride + j, c_stride, adds || p > 0, bias && p == 0 ? bias + j : nullptr);
        }
      }
    }
  });
}

}  // namespace scry::blas
