#include <scry/core/blas_panels.hpp>
#include <scry/core/blas_tiles.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::blas {
namespace {

using kernels::PanelRows;
using kernels::TileProduct;
using Lanes = kernels::Register<float>;

constexpr auto lanes = lanes_of<float>, widest = widest_panel<float>;
constexpr int64_t fewest_rows = 96;  // where a product is cut by rows too: the panel is packed for each unit
constexpr int64_t most_rows = 128;   // of a block of a transposed matrix: it stays in the second cache

// Rows of numbers, filled up to whole registers with zeros.
void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; ++i, from += from_stride, to += to_stride)
    for (int64_t j = 0; j < columns; j += lanes) kernels::load_some(from + j, columns - j).store_aligned(to + j);
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
    const int64_t wanted = thread_count() > 1 ? 4 * thread_count() : 1;
    const int64_t most_cuts = std::max<int64_t>(1, m / fewest_rows);
    cuts = transposed ? (m + most_rows - 1) / most_rows : std::clamp<int64_t>((wanted + panels - 1) / panels, 1, most_cuts);
    groups = transposed ? std::clamp<int64_t>((wanted + cuts - 1) / cuts, 1, panels) : panels;
  }
};

// The panels of b, packed where they are asked for, or ahead of that in parallel where several units ask for each.
class Panels {
 public:
  Panels(Matrix<float> b, float alpha, int64_t n, int64_t k, int64_t count, bool ahead)
      : b_(b), alpha_(alpha), n_(n), k_(k), ahead_(ahead), all_(ahead ? count * k * widest : 0) {
    if (ahead)
      parallel_for(count, grain_for(k * widest * 4), [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i)
          for (int64_t p = 0; p < k; p += panel_depth) pack(i, p, std::min(panel_depth, k - p), all_.data() + (i * k + p) * widest);
      });
  }
  int64_t columns(int64_t i) const { return std::min(widest, n_ - i * widest); }
  int64_t width(int64_t i) const { return columns(i) <= lanes ? lanes : widest; }
  /// Rows [p, p + count) of panel i, perhaps in the room given.
  const float* rows(int64_t i, int64_t p, int64_t count, float* room) const {
    if (ahead_) return all_.data() + (i * k_ + p) * widest;
    pack(i, p, count, room);
    return room;
  }

 private:
  void pack(int64_t i, int64_t p, int64_t count, float* to) const { pack_panel(b_, alpha_, p, count, i * widest, columns(i), to, width(i)); }

  Matrix<float> b_;
  float alpha_;
  int64_t n_, k_;
  bool ahead_;
  memory::Scratch<float> all_;
};

// Asks for rows that will be copied next, a share of them at a time: they lie far apart, which processors don't foresee.
struct Ahead {
  const float* from;
  int64_t stride, count, columns;
  void fetch(int64_t share, int64_t of, int64_t shares) const {
    for (int64_t i = count * share / shares; i < count * (share + of) / shares; ++i)
      for (int64_t j = 0; j < columns; j += 64 / static_cast<int64_t>(sizeof(float))) __builtin_prefetch(from + i * stride + j, 0, 2);
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
  const Panels panels(b, alpha, n, k, units.panels, a.transposed && units.cuts > 1);
  const int64_t together = std::max<int64_t>(1, (int64_t{1} << 18) * units.cuts * units.groups / std::max<int64_t>(m * n * k, 1));  // worth a thread
  parallel_for(units.cuts * units.groups, together, [&](int64_t first, int64_t last) {
    alignas(64) float room[panel_depth * widest], block[panel_depth * most_rows];
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t group = unit / units.cuts, cut = unit % units.cuts, begin = m * cut / units.cuts, rows = m * (cut + 1) / units.cuts - begin;
      const int64_t left = units.panels * group / units.groups, right = units.panels * (group + 1) / units.groups;
      for (int64_t p = 0; p < std::max<int64_t>(k, 1); p += panel_depth) {
        const int64_t count = std::min(panel_depth, k - p), next = a.transposed ? std::min(panel_depth, k - p - count) : 0;
        PanelRows<float> source{a.data + begin * a.stride + p, a.stride};
        // Neighbours in a column lie far apart, often by a power of two that maps them all to one place of the cache.
        if (a.transposed) {
          copy_rows(a.data + p * a.stride + begin, a.stride, count, rows, block, most_rows);
          source = {block, 1, most_rows};
        }
        const Ahead ahead{a.data + (p + count) * a.stride + begin, a.stride, next, rows};
        const int64_t piece = next > 0 ? 24 : rows;
        for (int64_t i = left; i < right; ++i) {
          const int64_t j = i * widest;
          TileProduct<float> t{.a = source,
                               .depth = count,
                               .b = panels.rows(i, p, count, room),
                               .b_row = panels.width(i),
                               .out = c + begin * c_stride + j,
                               .out_row = c_stride};
          for (int64_t r = 0; r < rows; r += piece) {
            const int64_t height = std::min(piece, rows - r);
            ahead.fetch((i - left) * rows + r, height, (right - left) * rows);
            multiply_columns(t, height, panels.columns(i), adds || p > 0, bias ? bias + j : nullptr);
          }
        }
      }
    }
  });
}

}  // namespace scry::blas
