#pragma once

// How a reduction is written: a Reducer with `Acc identity()`, `Acc take(Acc, T)` and `Acc merge(Acc, Acc)`, which `reduce` runs over any
// axes of any layout. Work is split into pieces of fixed sizes whose results are merged in order, so they don't depend on the threads.
// A reducer may bring `row` and `columns`, with the arguments of detail::reduce_row and reduce_columns, to go over a piece in its own way.

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
inline constexpr int64_t column_block = 2048;     // neighbouring columns that are reduced together: runs long enough for the memory's prefetching
inline constexpr int64_t column_piece = 1 << 18;  // elements to a piece of columns, many rows so that merging pieces costs little
inline constexpr int64_t wide_row = 256;

// The reduction of one kept element over reduced elements [begin, end), in lanes that fill registers.
template <class R, class T>
typename R::Acc reduce_row(const T* data, const Axes& reduced, int64_t begin, int64_t end, const R& reducer) {
  constexpr int64_t lanes = 32;
  const int64_t size = reduced.inner_size(), stride = reduced.inner_stride();
  if (end - begin < lanes && end <= size) {  // a short row: neighbouring rows overlap in the processor instead
    typename R::Acc acc = reducer.identity();
    for (int64_t i = begin; i < end; ++i) acc = reducer.take(acc, data[i * stride]);
    return acc;
  }
  typename R::Acc lane[lanes];
  std::fill_n(lane, lanes, reducer.identity());
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
  if (reduced.rank == 1 && reduced.strides[0] == columns && columns <= wide_row / 2) {  // short dense rows: many at a time, as one long one
    const int64_t rows = wide_row / columns, width = rows * columns, times = (end - begin) / rows;
    typename R::Acc wide[wide_row];
    Axes steps;
    steps.add(times, width);
    if (times > 1) reduce_columns(data + begin * columns, width, steps, 0, times, reducer, wide);
    for (int64_t i = 0; times > 1 && i < width; ++i) out[i % columns] = reducer.merge(out[i % columns], wide[i]);
    if (times > 1) begin += times * rows;
  }
  for (int64_t i = begin; i < end; ++i) {
    const T *row = data + reduced.offset(i), *next = i + 1 < end ? data + reduced.offset(i + 1) : row;
    for (int64_t first = 0; first < columns; first += wide_row) {
      const int64_t last = std::min(first + wide_row, columns);
      // Rows lie far apart, where the processor doesn't look ahead by itself.
      for (int64_t c = first; c < last; c += 64 / static_cast<int64_t>(sizeof(T))) __builtin_prefetch(next + c);
      for (int64_t c = first; c < last; ++c) out[c] = reducer.take(out[c], row[c]);
    }
  }
}

// The reducer's own way, where it has one.
template <class R, class T>
typename R::Acc row(const T* data, const Axes& reduced, int64_t begin, int64_t end, const R& reducer) {
  if constexpr (requires { reducer.row(data, reduced, begin, end); })
    return reducer.row(data, reduced, begin, end);
  else
    return reduce_row(data, reduced, begin, end, reducer);
}

template <class R, class T>
void columns(const T* data, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const R& reducer, typename R::Acc* out) {
  if constexpr (requires { reducer.columns(data, count, reduced, begin, end, out); })
    reducer.columns(data, count, reduced, begin, end, out);
  else
    reduce_columns(data, count, reduced, begin, end, reducer, out);
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
  const int64_t length = by_columns ? std::max<int64_t>(1, detail::column_piece / width) : detail::piece_elements;  // reduced elements to a piece
  const int64_t pieces = (reduced.count + length - 1) / length;
  const memory::Scratch<Acc> partial(pieces > 1 ? pieces * kept.count : 0);
  Acc* results = pieces > 1 ? partial.data() : out;

  const int64_t cost = std::min(length, reduced.count) * width;
  parallel_for(pieces * runs * blocks_each, std::max<int64_t>(1, detail::piece_elements / 2 / cost), [&](int64_t first, int64_t last) {
    int64_t piece = first / (runs * blocks_each), run = first / blocks_each % runs, block = first % blocks_each;
    for (int64_t item = first; item < last; ++item) {
      const int64_t begin = piece * length, end = std::min(begin + length, reduced.count);
      const int64_t index = by_columns ? run * kept.inner_size() + block * width : run;
      Acc* result = results + piece * kept.count + index;
      if (by_columns)
        detail::columns(data + kept.offset(index), std::min(width, kept.inner_size() - block * width), reduced, begin, end, reducer, result);
      else
        *result = detail::row(data + kept.offset(index), reduced, begin, end, reducer);
      if (++block < blocks_each) continue;
      block = 0;
      if (++run < runs) continue;
      run = 0;
      ++piece;
    }
  });
  if (pieces == 1) return;
  parallel_for(kept.count, std::max<int64_t>(1, detail::piece_elements / pieces), [&](int64_t first, int64_t last) {
    std::copy(results + first, results + last, out + first);
    for (int64_t piece = 1; piece < pieces; ++piece)
      for (int64_t i = first; i < last; ++i) out[i] = reducer.merge(out[i], results[piece * kept.count + i]);
  });
}

}  // namespace scry::kernels
