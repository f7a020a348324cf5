#pragma once

// How a reduction is written: a Reducer with `Acc identity()`, `Acc take(Acc, T)` and `Acc merge(Acc, Acc)`, which `reduce` runs over any
// axes of any layout. Work is split into pieces of fixed sizes whose results are merged in order, so they don't depend on the threads.
// A reducer may bring `row` and `columns`, with the arguments of detail::reduce_row and reduce_columns, to go over a piece in its own way.
// Only the loops are compiled for each reducer and type; what calls them is in reduce_driver.cpp.

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
  int64_t offset(int64_t index) const {
    int64_t at = 0;
    for (auto axis = static_cast<size_t>(rank); axis-- > 1;) {
      at += index % sizes[axis] * strides[axis];
      index /= sizes[axis];
    }
    return rank ? at + index * strides[0] : 0;
  }
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

inline constexpr int64_t piece_elements = 1 << 16;  // that one thread reduces at a time
inline constexpr int64_t column_block = 4096;       // neighbouring columns that are reduced together, with accumulators that stay in cache

// Sums in double become straight code on registers where a loop makes so few steps that the compiler unrolls it; others need a loop.
template <class Acc>
inline constexpr bool in_registers = std::is_same_v<Acc, double>;

// The reduction of `count` elements `stride` apart, in lanes that fill registers.
template <class R, class T>
typename R::Acc reduce_run(const T* data, int64_t count, int64_t stride, const R& reducer) {
  constexpr int64_t lanes = in_registers<typename R::Acc> ? 16 : 32;
  typename R::Acc rest = reducer.identity();
  int64_t i = 0;
  if (stride == 1 && count >= lanes) {
    typename R::Acc lane[lanes];
    std::fill_n(lane, lanes, reducer.identity());
    for (; i + lanes <= count; i += lanes)
      for (int64_t l = 0; l < lanes; ++l) lane[l] = reducer.take(lane[l], data[i + l]);
    for (int64_t width = lanes / 2; width > 0; width /= 2)
      for (int64_t l = 0; l < width; ++l) lane[l] = reducer.merge(lane[l], lane[l + width]);
    rest = lane[0];
  }
  for (; i < count; ++i) rest = reducer.take(rest, data[i * stride]);
  return rest;
}

// The reduction of one kept element over reduced elements [begin, end).
template <class R, class T>
typename R::Acc reduce_row(const T* data, const Axes& reduced, int64_t begin, int64_t end, const R& reducer) {
  const int64_t size = reduced.inner_size(), stride = reduced.inner_stride();
  if (reduced.rank <= 1) return reduce_run(data + begin * stride, end - begin, stride, reducer);
  typename R::Acc acc = reducer.identity();
  while (begin < end) {
    const int64_t run = std::min(size - begin % size, end - begin);
    acc = reducer.merge(acc, reduce_run(data + reduced.offset(begin), run, stride, reducer));
    begin += run;
  }
  return acc;
}

// The reduction of `columns` neighbouring kept elements over reduced elements [begin, end).
template <class R, class T>
void reduce_columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const R& reducer,
                    typename R::Acc* __restrict out) {
  constexpr int64_t wide = 1024, in_cache = 1 << 13;
  // What is in the first cache needs no reading from front to back.
  const bool cached = in_registers<typename R::Acc> && (end - begin) * columns <= in_cache;
  const bool dense = reduced.rank == 1 && reduced.strides[0] == columns && !cached;
  std::fill_n(out, columns, reducer.identity());
  if (dense && columns <= wide / 2) {  // short rows: many at a time, as one long one
    const int64_t rows = wide / columns, width = rows * columns, times = (end - begin) / rows;
    typename R::Acc lanes[wide];
    Axes steps;
    steps.add(times, width);
    if (times > 1) reduce_columns(data + begin * columns, width, steps, 0, times, reducer, lanes);
    for (int64_t i = 0; times > 1 && i < width; i += columns)
      for (int64_t c = 0; c < columns; ++c) out[c] = reducer.merge(out[c], lanes[i + c]);
    if (times > 1) begin += times * rows;
  }
  // Memory that is read from front to back is fetched ahead by the processor. Rows that lie apart are gone through side by side instead, as so
  // many streams.
  if constexpr (in_registers<typename R::Acc>) {
    constexpr int64_t streams = 16, strip = 16;
    while (!dense && begin < end) {
      const int64_t count = std::min(streams, end - begin);
      const T* rows[streams];
      for (int64_t k = 0; k < count; ++k) rows[k] = data + reduced.offset(begin + k);
      int64_t c = 0;
      for (; count > 1 && c + strip <= columns; c += strip) {
        typename R::Acc lane[strip];
        std::copy_n(out + c, strip, lane);
        for (int64_t k = 0; k < count; ++k)
          for (int64_t i = 0; i < strip; ++i) lane[i] = reducer.take(lane[i], rows[k][c + i]);
        std::copy_n(lane, strip, out + c);
      }
      for (int64_t k = 0; k < count; ++k)
        for (int64_t i = c; i < columns; ++i) out[i] = reducer.take(out[i], rows[k][i]);
      begin += count;
    }
  }
  for (; begin < end; ++begin) {
    const T *row = data + reduced.offset(begin), *next = begin + 1 < end ? data + reduced.offset(begin + 1) : row;
    constexpr int64_t ahead = 256;
    for (int64_t first = 0; first < columns; first += ahead) {
      const int64_t last = std::min(first + ahead, columns);
      for (int64_t c = first; !dense && c < last; c += 64 / static_cast<int64_t>(sizeof(T))) __builtin_prefetch(next + c);
      for (int64_t c = first; c < last; ++c) out[c] = reducer.take(out[c], row[c]);
    }
  }
}

// What the driver calls, for accumulators that it knows the size of only.
struct ReduceLoops {
  size_t element, accumulator;
  void (*fill)(void* out, int64_t count, const void* reducer);
  /// One accumulator for each of `count` kept elements from `first` on.
  void (*rows)(const void* data, const Axes& kept, int64_t first, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const void* reducer,
               void* out);
  void (*columns)(const void* data, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const void* reducer, void* out);
  /// into[i] = merge(into[i], from[i])
  void (*merge)(void* into, const void* from, int64_t count, const void* reducer);
};

template <class T, class R>
inline constexpr ReduceLoops reduce_loops{
    sizeof(T),
    sizeof(typename R::Acc),
    [](void* out, int64_t count, const void* reducer) {
      std::fill_n(static_cast<typename R::Acc*>(out), count, static_cast<const R*>(reducer)->identity());
    },
    [](const void* data, const Axes& kept, int64_t first, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const void* of, void* out) {
      const R& reducer = *static_cast<const R*>(of);
      int64_t i = 0;
      if constexpr (!requires { reducer.row(static_cast<const T*>(data), reduced, begin, end); }) {
        constexpr int64_t together = 16;
        // Short rows side by side, so that their sums don't wait for themselves.
        for (; end - begin < together && reduced.rank <= 1 && i + together <= count; i += together) {
          const T* row[together];
          typename R::Acc acc[together];
          for (int64_t r = 0; r < together; ++r) row[r] = static_cast<const T*>(data) + kept.offset(first + i + r);
          std::fill_n(acc, together, reducer.identity());
          for (int64_t j = begin; j < end; ++j)
            for (int64_t r = 0; r < together; ++r) acc[r] = reducer.take(acc[r], row[r][j * reduced.inner_stride()]);
          std::copy_n(acc, together, static_cast<typename R::Acc*>(out) + i);
        }
      }
      for (; i < count; ++i) {
        const T* row = static_cast<const T*>(data) + kept.offset(first + i);
        if constexpr (requires { reducer.row(row, reduced, begin, end); })
          static_cast<typename R::Acc*>(out)[i] = reducer.row(row, reduced, begin, end);
        else
          static_cast<typename R::Acc*>(out)[i] = reduce_row(row, reduced, begin, end, reducer);
      }
    },
    [](const void* data, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const void* of, void* out) {
      const R& reducer = *static_cast<const R*>(of);
      const T* first = static_cast<const T*>(data);
      auto* to = static_cast<typename R::Acc*>(out);
      if constexpr (requires { reducer.columns(first, count, reduced, begin, end, to); })
        reducer.columns(first, count, reduced, begin, end, to);
      else
        reduce_columns(first, count, reduced, begin, end, reducer, to);
    },
    [](void* into, const void* from, int64_t count, const void* reducer) {
      for (int64_t i = 0; i < count; ++i) {
        auto& target = static_cast<typename R::Acc*>(into)[i];
        target = static_cast<const R*>(reducer)->merge(target, static_cast<const typename R::Acc*>(from)[i]);
      }
    }};

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, void* out);

}  // namespace detail

/// One accumulator for each kept element of x, in row-major order of the kept axes.
template <class T, class R>
void reduce(const Tensor& x, uint32_t mask, const R& reducer, typename R::Acc* out) {
  detail::run_reduction(x, mask, detail::reduce_loops<T, R>, &reducer, out);
}

}  // namespace scry::kernels
