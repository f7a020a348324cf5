#pragma once

// How a reduction runs over any axes of any layout: in pieces of fixed sizes whose results are merged in order, so that they don't depend on
// the threads. The driver knows accumulators by their size alone; the loops in reduce_loops.hpp are compiled for each reducer and type.

#include <scry/core/function_ref.hpp>
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

inline constexpr int64_t most_together = 1024;      // kept elements that are reduced together, with accumulators that stay in cache
inline constexpr int64_t largest_accumulator = 24;  // bytes

/// What the driver calls.
struct ReduceLoops {
  size_t element, accumulator;
  void (*fill)(void* out, int64_t count, const void* reducer);
  /// The accumulator of reduced elements [begin, end) of one kept element, which begins at `data`.
  void (*row)(const void* data, const Axes& reduced, int64_t begin, int64_t end, const void* reducer, void* out);
  /// The same for `count` kept elements that lie side by side.
  void (*columns)(const void* data, int64_t count, const Axes& reduced, int64_t begin, int64_t end, const void* reducer, void* out);
  /// into[i] = merge(into[i], from[i])
  void (*merge)(void* into, const void* from, int64_t count, const void* reducer);
};

/// Takes the accumulators of `count` kept elements from `first` on.
using Finish = FunctionRef<void(const void* accumulators, int64_t first, int64_t count)>;

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, Finish finish);

}  // namespace detail
}  // namespace scry::kernels
