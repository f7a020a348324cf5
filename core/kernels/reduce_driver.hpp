#pragma once

// How a reduction is written: a Reducer with `Acc identity()`, `Acc take(Acc, T)` and `Acc merge(Acc, Acc)`, which `reduce` runs over any
// axes of any layout. Work is split into pieces of fixed sizes whose results are merged in order, so they don't depend on the threads.

#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/tensor.hpp>
#include <algorithm>
#include <array>

namespace scry::kernels {

/// Axes of one kind (kept or reduced), merged where they step alike.
struct Axes {
  int rank = 0;
  int64_t count = 1;
  std::array<int64_t, Shape::max_rank> sizes{}, strides{};

  void add(int64_t size, int64_t stride);
  /// Where element `index` of these axes lies.
  int64_t offset(int64_t index) const;
  int64_t inner_size() const { return rank ? sizes[static_cast<size_t>(rank - 1)] : 1; }
  int64_t inner_stride() const { return rank ? strides[static_cast<size_t>(rank - 1)] : 1; }
};

/// A reduction of x over the axes in a mask. Kept axes stay in order; reduced ones are sorted by stride.
struct ReducePlan {
  Axes kept, reduced;
  ReducePlan(const Tensor& x, uint32_t mask);
};

/// The shape after reducing the axes in the mask.
Shape reduced_shape(const Shape& shape, uint32_t mask, bool keepdim);

namespace detail {

inline constexpr int64_t piece_elements = 1 << 16;
inline constexpr int64_t column_block = 256;

// The reduction of one kept element over reduced elements [begin, end), in lanes that fill registers.
template <class R, class T>
typename R::Acc reduce_row(const T* data, const Axes& reduced, int64_t begin, int64_t end, const R& reducer) {
  constexpr int64_t lanes = 32;
  typename R::Acc lane[lanes];
  std::fill_n(lane, lanes, reducer.identity());
  const int64_t size = reduced.inner_size(), stride = reduced.inner_stride();
  while (begin < end) {
    const int64_t within = begin % size, run = std::min(size - within, end - begin);
    const T* at = data + reduced.offset(begin);
    int64_t i = 0;
    if (stride == 1) {
      for (; i + lanes <= run; i += lanes)
        for (int64_t l = 0; l < lanes; ++l) lane[l] = reducer.take(lane[l], at[i + l]);
    }
    for (; i < run; ++i) lane[i % lanes] = reducer.take(lane[i % lanes], at[i * stride]);
    begin += run;
  }
  for (int64_t width = lanes / 2; width > 0; width /= 2)
    for (int64_t l = 0; l < width; ++l) lane[l] = reducer.merge(lane[l], lane[l + width]);
  return lane[0];
}

// The reduction of `columns` neighbouring kept elements over reduced elements [begin, end).
template <class R, class T>
void reduce_columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const R& reducer, typename R::Acc* out) {
  std::fill_n(out, columns, reducer.identity());
  for (int64_t i = begin; i < end; ++i) {
    const T* row = data + reduced.offset(i);
    for (int64_t c = 0; c < columns; ++c) out[c] = reducer.take(out[c], row[c]);
  }
}

}  // namespace detail

/// One accumulator for each kept element of x, in row-major order of the kept axes.
template <class T, class R>
void reduce(const Tensor& x, uint32_t mask, const R& reducer, typename R::Acc* out) {
  using Acc = typename R::Acc;
  const ReducePlan plan(x, mask);
  const Axes &kept = plan.kept, &reduced = plan.reduced;
  const T* data = static_cast<const T*>(x.raw());
  if (kept.count == 0) return;
  if (reduced.count == 0) return void(std::fill_n(out, kept.count, reducer.identity()));

  const bool by_columns = kept.inner_stride() == 1 && kept.inner_size() > 1;
  const int64_t width = by_columns ? std::min(kept.inner_size(), detail::column_block) : 1;
  const int64_t blocks_each = (by_columns ? kept.inner_size() + width - 1 : width) / width;  // blocks to a run of kept columns
  const int64_t runs = by_columns ? kept.count / kept.inner_size() : kept.count;
  const int64_t length = std::max<int64_t>(1, detail::piece_elements / width);  // reduced elements to a piece
  const int64_t pieces = (reduced.count + length - 1) / length;
  const memory::Scratch<Acc> partial(pieces > 1 ? pieces * kept.count : 0);
  Acc* results = pieces > 1 ? partial.data() : out;

  const int64_t cost = std::min(length, reduced.count) * width;
  parallel_for(pieces * runs * blocks_each, std::max<int64_t>(1, detail::piece_elements / 2 / cost), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      const int64_t piece = item / (runs * blocks_each), run = item / blocks_each % runs, block = item % blocks_each;
      const int64_t begin = piece * length, end = std::min(begin + length, reduced.count);
      const int64_t index = by_columns ? run * kept.inner_size() + block * width : run;
      Acc* result = results + piece * kept.count + index;
      if (by_columns)
        detail::reduce_columns(data + kept.offset(index), std::min(width, kept.inner_size() - block * width), reduced, begin, end, reducer, result);
      else
        *result = detail::reduce_row(data + kept.offset(index), reduced, begin, end, reducer);
    }
  });
  if (pieces == 1) return;
  for (int64_t i = 0; i < kept.count; ++i) {
    out[i] = results[i];
    for (int64_t piece = 1; piece < pieces; ++piece) out[i] = reducer.merge(out[i], results[piece * kept.count + i]);
  }
}

}  // namespace scry::kernels
