#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/kernels/turn.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {

void Axes::add(int64_t size, int64_t stride) {
  count *= size;
  if (size == 1) return;
  const auto last = static_cast<size_t>(rank);
  if (rank > 0 && strides[last - 1] == stride * size) {
    sizes[last - 1] *= size;
    strides[last - 1] = stride;
    return;
  }
  sizes[last] = size;
  strides[last] = stride;
  ++rank;
}

ReducePlan::ReducePlan(const Tensor& x, uint32_t mask) {
  std::array<int, Shape::max_rank> order{};
  int count = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!(mask >> axis & 1)) {
      kept.add(x.shape()[axis], x.strides()[axis]);
      continue;
    }
    auto at = static_cast<size_t>(count++);  // an insertion sort, which takes no memory
    for (; at > 0 && std::abs(x.strides()[order[at - 1]]) < std::abs(x.strides()[axis]); --at) order[at] = order[at - 1];
    order[at] = axis;
  }
  for (int i = 0; i < count; ++i) reduced.add(x.shape()[order[static_cast<size_t>(i)]], x.strides()[order[static_cast<size_t>(i)]]);
}

Shape reduced_shape(const Shape& shape, uint32_t mask, bool keepdim) {
  Shape out;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (!(mask >> axis & 1))
      out.push_back(shape[axis]);
    else if (keepdim)
      out.push_back(1);
  }
  return out;
}

namespace detail {
namespace {

constexpr int64_t row_piece = 1 << 16, column_piece = 1 << 18;  // elements to a piece; of columns more, so that merging costs little
constexpr int64_t short_row = 64, turned_elements = 4096;       // short rows are turned into columns, in a buffer that stays in L1

// Kept elements [first, first + count), which are short rows, turned into columns.
void turn_rows(const Tensor& x, const ReducePlan& plan, size_t element, int64_t first, int64_t count, std::byte* columns) {
  const auto bytes = static_cast<int64_t>(element);
  const int64_t line = plan.kept.inner_size();
  for (int64_t done = 0; done < count;) {
    const int64_t within = (first + done) % line, run = std::min(line - within, count - done);
    const auto* data = static_cast<const std::byte*>(x.raw()) + plan.kept.offset(first + done) * bytes;
    turn({data, plan.reduced.count, plan.reduced.inner_stride(), run, plan.kept.inner_stride(), line - within - run}, element, columns + done * bytes,
         count);
    done += run;
  }
}

}  // namespace

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, Finish finish) {
  const ReducePlan plan(x, mask);
  const Axes &kept = plan.kept, &reduced = plan.reduced;
  if (kept.count == 0) return;

  const bool by_columns = kept.inner_stride() == 1 && kept.inner_size() > 1;
  const bool turned = !by_columns && reduced.rank <= 1 && reduced.count <= short_row && kept.count >= 16;
  // Work comes in runs of kept elements: neighbouring columns, or rows that are short enough to be worth it together.
  const int64_t line = by_columns ? kept.inner_size() : kept.count, size = std::max<int64_t>(1, reduced.count);
  const int64_t width =
      std::min({line, most_together, by_columns ? most_together : std::max<int64_t>(1, (turned ? turned_elements : row_piece / 2) / size)});
  const int64_t blocks_each = (line + width - 1) / width, blocks = kept.count / line * blocks_each;
  const int64_t length = by_columns ? std::max<int64_t>(1, column_piece / width) : row_piece;  // reduced elements to a piece
  const int64_t pieces = (size + length - 1) / length;
  const auto bytes = static_cast<int64_t>(loops.accumulator), element = static_cast<int64_t>(loops.element);
  const memory::Scratch<std::byte> partial(pieces > 1 ? pieces * kept.count * bytes : 0);

  const auto run = [&](int64_t index, int64_t count, int64_t begin, int64_t end, std::byte* result) {
    const auto* data = static_cast<const std::byte*>(x.raw());
    if (reduced.count == 0) {
      loops.fill(result, count, reducer);
    } else if (by_columns) {
      loops.columns(data + kept.offset(index) * element, count, reduced, begin, end, reducer, result);
    } else if (turned) {
      alignas(64) std::byte buffer[turned_elements * sizeof(double)];
      turn_rows(x, plan, loops.element, index, count, buffer);
      Axes steps;
      steps.add(reduced.count, count);
      loops.columns(buffer, count, steps, 0, reduced.count, reducer, result);
    } else {
      for (int64_t i = 0; i < count; ++i) loops.row(data + kept.offset(index + i) * element, reduced, begin, end, reducer, result + i * bytes);
    }
  };
  const int64_t cost = std::min(length, size) * width;
  parallel_for(pieces * blocks, std::max<int64_t>(1, row_piece / 2 / cost), [&](int64_t first, int64_t last) {
    alignas(64) std::byte buffer[most_together * largest_accumulator];
    for (int64_t item = first; item < last; ++item) {
      const int64_t piece = item / blocks, block = item % blocks, begin = piece * length, end = std::min(begin + length, reduced.count);
      const int64_t within = block % blocks_each * width, index = block / blocks_each * line + within, count = std::min(width, line - within);
      std::byte* result = pieces > 1 ? partial.data() + (piece * kept.count + index) * bytes : buffer;
      run(index, count, begin, end, result);
      if (pieces == 1) finish(result, index, count);
    }
  });
  if (pieces == 1) return;
  parallel_for(kept.count, std::max<int64_t>(1, row_piece / pieces), [&](int64_t first, int64_t last) {
    std::byte* to = partial.data() + first * bytes;
    for (int64_t piece = 1; piece < pieces; ++piece) loops.merge(to, partial.data() + (piece * kept.count + first) * bytes, last - first, reducer);
    finish(to, first, last - first);
  });
}

}  // namespace detail
}  // namespace scry::kernels
