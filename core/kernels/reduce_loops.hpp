#pragma once

// How a reduction is written. A reducer is a formula on numbers or lanes of numbers: `Acc identity()`, `take(accumulator, value)` and
// `merge(accumulator, accumulator)`. One that needs more than one look at its elements brings `Acc row(data, reduced, begin, end)` and
// `void columns(data, count, reduced, begin, end, out)` instead of `take`; it gets pieces that stay in cache.

#include <scry/core/kernels/lanes.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <algorithm>

namespace scry::kernels {
namespace detail {

// Accumulators of neighbouring columns, `registers` registers of them from column c on, over `count` rows; they go from `out` to `to`.
template <int registers, class Acc, class T, class Take>
void take_strip(const T* const* rows, int64_t count, int64_t first, int64_t c, const Take& take, const Acc* out, Acc* to) {
  constexpr int64_t width = lanes_of<Acc>;
  Lanes<Acc, width> acc[registers];
  for (int r = 0; r < registers; ++r) acc[r] = load_lanes<Lanes<Acc, width>>(out + c + r * width);
  for (int64_t k = 0; k < count; ++k)
    for (int r = 0; r < registers; ++r) acc[r] = take(acc[r], load_lanes<Lanes<T, width>>(rows[k] + c + r * width), c + r * width, first + k);
  for (int r = 0; r < registers; ++r) store_lanes(to + r * width, acc[r]);
}

// out[c] = take(out[c], element, c, i) for reduced elements i in [begin, end) of neighbouring columns c. Memory that is read from front to back
// is fetched ahead by the processor, so rows that lie one after the other are taken one by one. Others, and what is in cache, are taken side by
// side, with the accumulators of a strip in registers.
template <class Acc, class T, class Take>
void over_columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const Take& take, Acc* out) {
  constexpr int64_t width = lanes_of<Acc>, side_by_side = 16, in_cache = 1 << 13, ahead = 512;
  constexpr int strip = 8;
  const bool in_order = reduced.rank == 1 && reduced.strides[0] == columns && (end - begin) * columns > in_cache;
  const bool rest = columns >= width && columns % width != 0;
  const int64_t together = in_order ? 1 : side_by_side;
  for (; begin < end; begin += together) {
    const int64_t count = std::min(together, end - begin);
    const T* rows[2 * side_by_side];  // one that could be full would have the compiler write out the loop over it
    for (int64_t k = 0; k < count; ++k) rows[k] = data + reduced.offset(begin + k);
    Acc last[width];  // a register that reaches back over columns of others, and is stored after them
    if (rest) take_strip<1>(rows, count, begin, columns - width, take, out, last);
    int64_t c = 0;
    for (; c + strip * width <= columns; c += strip * width) {
      constexpr int64_t bytes = strip * width * static_cast<int64_t>(sizeof(T));
      for (int64_t k = 0; !in_order && k < count; ++k)
        for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(reinterpret_cast<const char*>(rows[k] + c) + ahead + byte, 0, 2);
      take_strip<strip>(rows, count, begin, c, take, out, out + c);
    }
    for (; c + width <= columns; c += width) take_strip<1>(rows, count, begin, c, take, out, out + c);
    if (rest)
      std::copy_n(last, width, out + columns - width);
    else
      for (int64_t k = 0; k < count; ++k)
        for (int64_t i = c; i < columns; ++i) out[i] = take(out[i], rows[k][i], i, begin + k);
  }
}

template <class R, class T>
void reduce_columns(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const R& reducer, typename R::Acc* out) {
  std::fill_n(out, columns, reducer.identity());
  over_columns(
      data, columns, reduced, begin, end, [&](auto acc, auto value, int64_t, int64_t) { return reducer.take(acc, value); }, out);
}

// The reduction of `count` elements `stride` apart.
template <class R, class T>
typename R::Acc reduce_run(const T* data, int64_t count, int64_t stride, const R& reducer) {
  using Acc = typename R::Acc;
  constexpr int64_t width = lanes_of<Acc>, registers = 4;
  using A = Lanes<Acc, width>;
  using V = Lanes<T, width>;
  if (stride != 1 || count < width) {
    Acc acc = reducer.identity();
    for (int64_t i = 0; i < count; ++i) acc = reducer.take(acc, data[i * stride]);
    return acc;
  }
  const A start = A{} + reducer.identity();
  A acc[registers]{start, start, start, start};
  int64_t i = 0;
  for (; i + registers * width <= count; i += registers * width)
    for (int64_t r = 0; r < registers; ++r) acc[r] = reducer.take(acc[r], load_lanes<V>(data + i + r * width));
  for (; i + width <= count; i += width) acc[0] = reducer.take(acc[0], load_lanes<V>(data + i));
  if (i < count)  // the last register full, of which the first lanes have been taken
    acc[1] = from_lane(i + width - count, reducer.take(acc[1], load_lanes<V>(data + count - width)), acc[1]);
  return merge_lanes(reducer.merge(reducer.merge(acc[0], acc[1]), reducer.merge(acc[2], acc[3])),
                     [&](const A& a, const A& b) { return reducer.merge(a, b); });
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

// Columns as the reducer wants them.
template <class R, class T>
void columns_of(const T* data, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const R& reducer, typename R::Acc* out) {
  if constexpr (requires { reducer.take(typename R::Acc(), T()); }) {
    reduce_columns(data, columns, reduced, begin, end, reducer, out);
  } else {
    constexpr int64_t in_cache = 1 << 16;
    const int64_t rows = std::max<int64_t>(1, in_cache / columns);
    typename R::Acc more[most_together];
    for (int64_t i = begin; i < end; i += rows) {
      reducer.columns(data, columns, reduced, i, std::min(i + rows, end), i == begin ? out : more);
      for (int64_t c = 0; i > begin && c < columns; ++c) out[c] = reducer.merge(out[c], more[c]);
    }
  }
}

template <class T, class R>
inline constexpr ReduceLoops reduce_loops{
    sizeof(T),
    sizeof(typename R::Acc),
    [](void* out, int64_t count, const void* reducer) {
      std::fill_n(static_cast<typename R::Acc*>(out), count, static_cast<const R*>(reducer)->identity());
    },
    [](const void* data, const Axes& reduced, int64_t begin, int64_t end, const void* of, void* out) {
      const R& reducer = *static_cast<const R*>(of);
      const T* from = static_cast<const T*>(data);
      if constexpr (requires { reducer.row(from, reduced, begin, end); })
        *static_cast<typename R::Acc*>(out) = reducer.row(from, reduced, begin, end);
      else
        *static_cast<typename R::Acc*>(out) = reduce_row(from, reduced, begin, end, reducer);
    },
    [](const void* from, int64_t columns, const Axes& reduced, int64_t begin, int64_t end, const void* of, void* to) {
      constexpr int64_t narrow = 4 * lanes_of<T>;
      const R& reducer = *static_cast<const R*>(of);
      const T* data = static_cast<const T*>(from);
      auto* out = static_cast<typename R::Acc*>(to);
      // Short rows one after the other: many at a time, as one long one.
      const int64_t rows = most_together / columns, width = rows * columns, times = (end - begin) / rows;
      if (columns >= narrow || times < 2 || reduced.rank > 1 || reduced.strides[0] != columns)
        return columns_of(data, columns, reduced, begin, end, reducer, out);
      typename R::Acc lanes[most_together];
      Axes steps;
      steps.add(times, width);
      columns_of(data + begin * columns, width, steps, 0, times, reducer, lanes);
      columns_of(data, columns, reduced, begin + times * rows, end, reducer, out);
      for (int64_t i = 0; i < width; ++i) {
        if constexpr (requires { reducer.moved(lanes[i], rows, begin + i / columns); }) lanes[i] = reducer.moved(lanes[i], rows, begin + i / columns);
        out[i % columns] = reducer.merge(out[i % columns], lanes[i]);
      }
    },
    [](void* into, const void* from, int64_t count, const void* reducer) {
      for (int64_t i = 0; i < count; ++i) {
        auto& target = static_cast<typename R::Acc*>(into)[i];
        target = static_cast<const R*>(reducer)->merge(target, static_cast<const typename R::Acc*>(from)[i]);
      }
    }};

}  // namespace detail

/// Calls finish(accumulators, first, count) for all kept elements of x, in row-major order of the kept axes, from several threads.
template <class T, class R, class F>
void reduce(const Tensor& x, uint32_t mask, const R& reducer, const F& finish) {
  static_assert(sizeof(typename R::Acc) <= detail::largest_accumulator);
  detail::run_reduction(x, mask, detail::reduce_loops<T, R>, &reducer, [&](const void* accumulators, int64_t first, int64_t count) {
    finish(static_cast<const typename R::Acc*>(accumulators), first, count);
  });
}

}  // namespace scry::kernels
