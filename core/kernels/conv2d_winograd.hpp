#pragma once

// What Winograd's F(4x4, 3x3) has in common for its passes (Lavin and Gray 2016, arXiv:1509.09308): tiles of 4 x 4 outputs, each computed from 6 x 6
// inputs in 36 products a pair of channels, where the direct method takes 144. The matrices' names are the paper's.

#include <scry/core/kernels/conv2d_channels.hpp>
#include <scry/core/kernels/some.hpp>

namespace scry::kernels::conv {

/// The tiles that cover a correlation's grid: image by image, row by row.
struct Tiles {
  static constexpr int64_t side = 4;
  int64_t down, across, count;
  explicit Tiles(const Correlation& c) : down((c.y.grid + side - 1) / side), across((c.x.grid + side - 1) / side), count(c.images * down * across) {}
  /// The image and the grid point where tile t begins.
  struct Place {
    int64_t image, i, j;
  };
  Place at(int64_t t) const { return {t / across / down, t / across % down * side, t % across * side}; }
};

/// Tiles side by side on their way through the 36 products: numbers [36, tiles, channels] with gaps between the components, which else would meet in
/// the same lines of the cache. Channels are padded to whole registers.
struct Components {
  static constexpr int64_t count = 36;
  int64_t channels, plane;
  Components(int64_t tiles, int64_t channel_count) : channels((channel_count + lanes - 1) / lanes * lanes), plane(tiles * channels + lanes) {}
  int64_t size() const { return count * plane; }
};

/// The output channels of the products, in blocks of one or two registers; the last may be padded.
struct OutputBlocks {
  int64_t vectors, block, count;
  explicit OutputBlocks(int64_t channels)
      : vectors((channels + lanes - 1) / lanes % 2 == 0 ? 2 : 1), block(vectors * lanes), count((channels + block - 1) / block) {}
};

/// store(i, j, element (i, j) of L x Lᵀ) for x: [from, from], the result [to, to] and `line`, which multiplies a vector by L.
template <int from, int to, class Load, class Line, class Store>
[[gnu::always_inline]] inline void transform(const Load& load, const Line& line, const Store& store) {
  Lanes half[from][to];
#pragma GCC unroll 6
  for (int i = 0; i < from; ++i) {
    Lanes x[from];
#pragma GCC unroll 6
    for (int j = 0; j < from; ++j) x[j] = load(i, j);
    line(x, half[i]);
  }
#pragma GCC unroll 6
  for (int j = 0; j < to; ++j) {
    Lanes x[from], y[to];
#pragma GCC unroll 6
    for (int i = 0; i < from; ++i) x[i] = half[i][j];
    line(x, y);
#pragma GCC unroll 6
    for (int i = 0; i < to; ++i) store(i, j, y[i]);
  }
}

/// Memory that the next block of tiles needs; one component of the products after the other, its lines are asked for in 36 parts.
struct Ahead {
  const float* from;
  int64_t size;
  /// That of tiles [first, first + count) in images that lie side by side, `image` numbers each.
  Ahead(const float* images, int64_t image, const Tiles& tiles, int64_t first, int64_t count)
      : from(images + first * image / std::max<int64_t>(tiles.down * tiles.across, 1)),
        size(std::min(count, tiles.count - first) * image / std::max<int64_t>(tiles.down * tiles.across, 1)) {}
  template <bool to_write>
  void fetch(int64_t component) const {
    for (int64_t i = size * component / Components::count; i < size * (component + 1) / Components::count; i += 16)
      __builtin_prefetch(from + i, to_write, 2);
  }
};

/// Bᵀ d B of the inputs of tiles [first, first + count), into components `to`.
void transform_inputs(const Correlation& c, const Tiles& tiles, int64_t first, int64_t count, const float* in, const Components& at, float* to);

}  // namespace scry::kernels::conv
