#pragma once

// Small matrix products out of registers, for kernels that use a product's rows at once. A panel holds a matrix [depth, N registers] row by row.

#include <scry/core/kernels/interleave.hpp>
#include <scry/core/kernels/some.hpp>
#include <scry/core/memory.hpp>
#include <algorithm>
#include <array>

namespace scry::kernels {

/// Rows of numbers to multiply with: element k of row r is data[r * row + k * step].
template <class T>
struct PanelRows {
  const T* data;
  int64_t row, step = 1;
};

/// A product out[r][j] = start[r][j] + sum over k of a[r][k] b[k][j]. Rows of b, start and out lie so far apart; without `start` sums begin at 0. Of
/// the last register of columns only `last` elements are there, where the product is called partial.
template <class T>
struct TileProduct {
  PanelRows<T> a;
  int64_t depth;
  const T* b;
  int64_t b_row;
  const T* start = nullptr;
  int64_t start_row = 0;
  T* out;
  int64_t out_row;
  int64_t last = 0;
};

namespace detail {

// As many rows as leave registers for b's and one for a's; processors with 512-bit registers have 32, others are taken to have 16.
template <class T, int N>
constexpr int most_rows = std::min(12, ((sizeof(Register<T>) == 64 ? 32 : 16) - 1 - N) / N);

// Products of 1, 2, … rows and N registers of columns: up to four registers, up to two where the product is partial.
template <class T, int N, bool partial>
struct Tiles {
  static const std::array<void (*)(const TileProduct<T>&), most_rows<T, N>> by_rows;
};

}  // namespace detail

/// For products that nothing goes along with.
struct Nothing {
  void operator()(int64_t, int64_t) const {}
};

/// The product of `rows` rows and N registers, in tiles of nearly the same height; t moves along. (By reference: what has just been written word by
/// word is slow to copy.) before(first row, rows) is called ahead of each tile, say to fetch what its rows meet next.
template <class T, int N, bool partial = false, class F = Nothing>
void tile_product(TileProduct<T>& t, int64_t rows, const F& before = {}) {
  const int64_t count = (rows + detail::most_rows<T, N> - 1) / detail::most_rows<T, N>;
  for (int64_t i = 0, begin = 0; i < count; ++i) {
    const int64_t height = count == 1 ? rows : rows * (i + 1) / count - begin;
    before(begin, height);
    detail::Tiles<T, N, partial>::by_rows[static_cast<size_t>(height - 1)](t);
    begin += height;
    t.a.data += height * t.a.row;
    t.out += height * t.out_row;
    if (t.start) t.start += height * t.start_row;
  }
}

/// out = a times a panel for `rows` rows of a, or added to it; out: rows of N registers, `out_row` apart.
template <class T, int N, class F = Nothing>
void panel_product(PanelRows<T> a, int64_t rows, int64_t depth, const T* panel, T* out, int64_t out_row, bool add = false, const F& before = {}) {
  TileProduct<T> t{a, depth, panel, N * static_cast<int64_t>(Register<T>::size), add ? out : nullptr, out_row, out, out_row};
  tile_product<T, N>(t, rows, before);
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
        for (int64_t j = 0; j < width; j += lanes) interleave(source + j * across, across, std::min(lanes, count - j), depth, panel + j, width);
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
