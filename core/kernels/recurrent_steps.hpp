#pragma once

// What the two passes through a recurrent layer share; for kernels' sources only.

#include <scry/core/kernels/exponential.hpp>
#include <scry/core/kernels/functions.hpp>
#include <scry/core/kernels/panel.hpp>
#include <scry/core/kernels/recurrent.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>

namespace scry::kernels::steps {

/// Of a tile: enough to fetch weights for from the third cache, and few enough for rows that lie a power of two apart to stay in the first.
inline constexpr int64_t rows_at_once = 16;

/// Where things lie. Units come in blocks of one register, the last one perhaps not full.
template <class T>
struct Sizes {
  static constexpr auto width = static_cast<int64_t>(Register<T>::size), line = 64 / static_cast<int64_t>(sizeof(T));
  int64_t steps, rows, units, gates;  // rows: sequences; gates: of a unit
  bool reverse;
  const int64_t* lengths;

  Sizes(const Recurrence& layer, int64_t step_count, int64_t row_count, int64_t unit_count)
      : steps(step_count),
        rows(row_count),
        units(unit_count),
        gates(gates_of(layer.cell)),
        reverse(layer.reverse),
        lengths(layer.lengths.defined() ? static_cast<const int64_t*>(layer.lengths.raw()) : nullptr) {}

  /// From one row of gates to the next: an odd number of cache lines, for rows that lie a power of two apart fall upon each other in the caches.
  int64_t gates_row() const { return ((gates * units + line - 1) / line | 1) * line; }
  int64_t blocks(int64_t registers = 1) const { return blocks_of(units, registers); }
  static int64_t blocks_of(int64_t columns, int64_t registers) { return (columns + registers * width - 1) / (registers * width); }
  /// The time of the s-th step, and where the states before and after that time are.
  int64_t time(int64_t s) const { return reverse ? steps - 1 - s : s; }
  int64_t before(int64_t t) const { return (reverse ? t + 1 : t) * rows * units; }
  int64_t after(int64_t t) const { return (reverse ? t : t + 1) * rows * units; }
  bool active(int64_t row, int64_t t) const { return !lengths || t < lengths[row]; }
  /// Whether the products with the input's weights go step by step too, so that what they read and write is in cache: where enough rows share weights
  /// that the caches hold. Else they are one product over all steps.
  bool joins(int64_t inputs) const { return rows >= 16 && (inputs + units) * gates * units * static_cast<int64_t>(sizeof(T)) <= 1 << 21; }
};

/// Calls tile(first row, rows) for rows [first, last), in tiles of nearly the same height.
template <class F>
void in_tiles(int64_t first, int64_t last, const F& tile) {
  const int64_t parts = (last - first + rows_at_once - 1) / rows_at_once;
  const auto cut = [&](int64_t i) { return first + (last - first) * i / parts; };
  for (int64_t i = 0; i < parts; ++i) tile(cut(i), cut(i + 1) - cut(i));
}

/// Calls step(s, first row, last row, first block, last block) for s in [0, count) in order. Where there are enough sequences for every thread, or
/// the weights fit into a core's cache, sequences go to the threads and run all steps there: nobody waits for another, or reads what it wrote. Else
/// blocks of units do, so that every core keeps its part of the weights. `work`: multiply-adds of a row in a block.
template <class T, class F>
void run(const Sizes<T>& sizes, int64_t count, int64_t blocks, int64_t work, const F& step) {
  const bool many = sizes.rows >= rows_at_once * thread_count();
  if (many || work * blocks * static_cast<int64_t>(sizeof(T)) <= 1 << 17) {
    const int64_t least = many ? (sizes.rows + thread_count() - 1) / thread_count() : 8;
    const int64_t grain = std::max(least, 65536 / std::max<int64_t>(1, work * blocks * count));
    parallel_for(sizes.rows, grain, [&](int64_t first, int64_t last) {
      for (int64_t s = 0; s < count; ++s) step(s, first, last, 0, blocks);
    });
  } else {
    const int64_t grain = std::max<int64_t>(1, 32768 / std::max<int64_t>(1, work * sizes.rows));
    for (int64_t s = 0; s < count; ++s) parallel_for(blocks, grain, [&](int64_t begin, int64_t end) { step(s, 0, sizes.rows, begin, end); });
  }
}

// Gates need no more than an error of one unit in the last place of 1: shorter than the functions for all arguments.
template <class T>
Register<T> exp(const Register<T>& x) {
  return Register<T>(bounded_exp<T>(static_cast<typename Register<T>::register_type>(x)));
}
template <class T>
Register<T> sigmoid(const Register<T>& x) {
  return Register<T>(T{1}) / (Register<T>(T{1}) + exp(-x));
}
template <class T>
Register<T> tanh(const Register<T>& x) {
  return Register<T>(T{1}) - Register<T>(T{2}) / (Register<T>(T{1}) + exp(x + x));
}

/// Calls function.operator()<cell>().
template <class F>
void dispatch_cell(Cell cell, const F& function) {
  switch (cell) {
    case Cell::tanh: return function.template operator()<Cell::tanh>();
    case Cell::relu: return function.template operator()<Cell::relu>();
    case Cell::lstm: return function.template operator()<Cell::lstm>();
    case Cell::gru: return function.template operator()<Cell::gru>();
  }
}

}  // namespace scry::kernels::steps
