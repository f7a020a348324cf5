#pragma once

// How a reduction runs over any axes of any layout: in pieces of fixed sizes whose results are merged in order, so that they don't depend on
// the threads. The driver cuts everything into tiles of columns; the loops in reduce_loops.hpp are compiled for each reducer and type.

#include <scry/core/function_ref.hpp>
#include <scry/core/kernels/turn.hpp>
#include <scry/core/tensor.hpp>
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

inline constexpr int64_t most_together = 1024;  // kept elements that are reduced together, with states that stay in cache
inline constexpr int64_t few_rows = 32;         // to which results are so many that they are written one register after the other
inline constexpr int64_t longest_turned = 24;   // elements of rows that may be turned into columns

/// Memory that is taken in one go: rows of neighbouring elements, each of which goes to the state of its column.
struct Tile {
  const void* data;
  int64_t columns, rows, step;  // elements from one row to the next
  int64_t ahead;                // bytes from an element to what will be wanted after this tile in its place, or 0
  int64_t index, stride;        // the first row's index, and how far the next one's is from it
  const void* first = nullptr;  // where states begin with this tile: the columns' first elements of all
};

/// What the driver calls. States are numbers in `parts` arrays, `pitch` elements apart, which are readable and writable for a register more.
struct ReduceLoops {
  int64_t element, state, parts;  // bytes of an element and of one part of a state
  int64_t lanes, strip;           // states in a register, and in the registers that are worked on together
  int64_t short_row;              // rows up to this length are better turned into columns
  /// The states of columns that have taken nothing, `times` times; their first elements of all lie at `first`, if there are any.
  void (*fill)(const void* reducer, void* states, int64_t pitch, int64_t columns, int64_t times, const void* first);
  void (*take)(const void* reducer, const Tile& tile, void* states, int64_t pitch);
  /// The states of short lines, turned into columns, and of any whose elements lie one after the other.
  void (*take_turned)(const void* reducer, const Lines& lines, void* states, int64_t pitch);
  void (*take_lines)(const void* reducer, const Lines& lines, void* states, int64_t pitch);
  /// into[i] = merge(into[i], from[i]), whose indices are larger by `later`; up to a register more is overwritten.
  void (*merge)(const void* reducer, void* into, int64_t pitch, const void* from, int64_t from_pitch, int64_t count, int64_t later);
};

/// Takes the states of `count` kept elements from `first` on.
using Finish = FunctionRef<void(const void* states, int64_t pitch, int64_t first, int64_t count)>;

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, Finish finish);

}  // namespace detail
}  // namespace scry::kernels
