#pragma once

// Small matrix products out of registers, for kernels that use a product's rows at once. A panel holds a matrix [depth, N registers] row by row.

#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/transpose_square.hpp>
#include <scry/core/memory.hpp>
#include <algorithm>
#include <array>
#include <utility>

namespace scry::kernels {

/// Rows of numbers to multiply with: element k of row r is data[r * row + k * step].
template <class T>
struct PanelRows {
  const T* data;
  int64_t row, step = 1;
};

namespace detail {

// out[r][n] = sum over k of a[r][k] panel[k][n] (or that is added to it, or to bias[n]), all in registers: every register of the panel that is loaded
// serves all rows. Without the pragmas GCC keeps the sums in memory before and after the loop.
template <class T, int rows, int N>
void panel_tile(PanelRows<T> a, int64_t depth, const T* panel, T* out, int64_t out_row, bool add, const T* bias) {
  using V = Register<T>;
  constexpr auto width = static_cast<int64_t>(V::size);
  V sum[rows][N];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < N; ++n)
      sum[r][n] = add ? V::load_unaligned(out + r * out_row + n * width) : bias ? V::load_unaligned(bias + n * width) : V(T{0});
  for (int64_t k = 0; k < depth; ++k, panel += N * width, a.data += a.step) {
    V b[N];
    for (int n = 0; n < N; ++n) b[n] = V::load_aligned(panel + n * width);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const V value(a.data[r * a.row]);
      for (int n = 0; n < N; ++n) sum[r][n] = xsimd::fma(value, b[n], sum[r][n]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < N; ++n) sum[r][n].store_unaligned(out + r * out_row + n * width);
}

// As many rows as leave registers for the panel's; processors with 512-bit registers have 32, others are taken to have 16.
template <class T, int N>
constexpr int most_rows = (sizeof(Register<T>) == 64 ? 24 : 8) / (N < 2 ? 2 : N);

template <class T, int N>
constexpr auto panel_tiles = []<size_t... i>(std::index_sequence<i...>) {
  return std::array{&panel_tile<T, static_cast<int>(i) + 1, N>...};
}
(std::make_index_sequence<static_cast<size_t>(most_rows<T, N>)>());

}  // namespace detail

/// out = a times the panel for `rows` rows of a, or added to it or to a bias; out: rows of N registers, `out_row` apart. The panel is aligned.
template <class T, int N>
void panel_product(PanelRows<T> a, int64_t rows, int64_t depth, const T* panel, T* out, int64_t out_row, bool add = false, const T* bias = nullptr) {
  const int64_t count = (rows + detail::most_rows<T, N> - 1) / detail::most_rows<T, N>;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t begin = rows * t / count, end = rows * (t + 1) / count;
    detail::panel_tiles<T, N>[static_cast<size_t>(end - begin - 1)]({a.data + begin * a.row, a.row, a.step}, depth, panel, out + begin * out_row,
                                                                    out_row, add, bias);
  }
}

/// Up to a register's width of neighbouring elements (none where `count` is below 1), with zeros behind them.
template <class T>
Register<T> load_some(const T* from, int64_t count) {
  if (count >= static_cast<int64_t>(Register<T>::size)) return Register<T>::load_unaligned(from);
  alignas(64) T all[Register<T>::size]{};
  if (count > 0) std::memcpy(all, from, static_cast<size_t>(count) * sizeof(T));
  return Register<T>::load_aligned(all);
}
template <class T>
void store_some(const Register<T>& x, T* to, int64_t count) {
  if (count >= static_cast<int64_t>(Register<T>::size)) return x.store_unaligned(to);
  alignas(64) T all[Register<T>::size];
  x.store_aligned(all);
  std::memcpy(to, all, static_cast<size_t>(count) * sizeof(T));
}

/// to[k * step + j] = from[j * row + k] for j < rows, k < depth.
template <class T>
[[gnu::noinline]] void interleave_rows(const T* from, int64_t row, int64_t rows, int64_t depth, T* to, int64_t step) {
  constexpr auto side = static_cast<int64_t>(Register<T>::size);
  for (int64_t j = 0; j < rows; j += side, from += side * row, to += side) {
    const int64_t count = std::min(side, rows - j);
    int64_t k = 0;
    for (; count == side && k + side <= depth; k += side) transpose_square(from + k, row, to + k * step, step);
    for (; k < depth; ++k)
      for (int64_t i = 0; i < count; ++i) to[k * step + i] = from[i * row + k];
  }
}

/// A matrix [depth, columns] in panels of up to four registers, in memory of its own that may be filled again and again.
template <class T>
class PackedMatrix {
 public:
  static constexpr auto lanes = static_cast<int64_t>(Register<T>::size);
  /// Columns rounded up to whole registers: how long the rows of a result are.
  static int64_t padded(int64_t columns) { return (columns + lanes - 1) / lanes * lanes; }

  PackedMatrix(int64_t most_depth, int64_t most_columns) : panels_(most_depth * padded(most_columns)) {}

  /// Element (k, j) is from[k * down + j * across]; one of the two is 1. Columns are filled up with zeros.
  void pack(const T* from, int64_t down, int64_t across, int64_t depth, int64_t columns) {
    depth_ = depth;
    columns_ = padded(columns);
    for (int64_t first = 0; first < columns_; first += 4 * lanes) {
      const int64_t width = std::min(4 * lanes, columns_ - first), count = std::min(width, columns - first);
      T* panel = panels_.data() + first * depth;
      const T* source = from + first * across;
      if (across != 1) {
        interleave_rows(source, across, count, depth, panel, width);
        for (int64_t k = 0; count < width && k < depth; ++k) std::fill(panel + k * width + count, panel + (k + 1) * width, T{0});
        continue;
      }
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t j = 0; j < width; j += lanes) load_some(source + k * down + j, count - j).store_aligned(panel + k * width + j);
    }
  }

  /// out = a times this, or added to it; out: aligned rows `out_row` apart. With `most` only that many rows of the matrix take part.
  void product(PanelRows<T> a, int64_t rows, T* out, int64_t out_row, bool add = false, int64_t most = INT64_MAX) const {
    const int64_t depth = std::min(depth_, most);
    for (int64_t first = 0; first < columns_; first += 4 * lanes) {
      const T* panel = panels_.data() + first * depth_;
      switch (std::min<int64_t>(4, (columns_ - first) / lanes)) {
        case 1: panel_product<T, 1>(a, rows, depth, panel, out + first, out_row, add); break;
        case 2: panel_product<T, 2>(a, rows, depth, panel, out + first, out_row, add); break;
        case 3: panel_product<T, 3>(a, rows, depth, panel, out + first, out_row, add); break;
        default: panel_product<T, 4>(a, rows, depth, panel, out + first, out_row, add);
      }
    }
  }

 private:
  memory::Scratch<T> panels_;
  int64_t depth_ = 0, columns_ = 0;
};

}  // namespace scry::kernels
