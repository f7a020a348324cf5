#include <scry/core/kernels/reduce_driver.hpp>
#include <cstddef>
#include <cstring>

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
constexpr int64_t column_piece = 1 << 18;  // elements to a piece of columns, many rows so that merging pieces costs little
}  // namespace

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, void* out) {
  const ReducePlan plan(x, mask);
  const Axes &kept = plan.kept, &reduced = plan.reduced;
  if (kept.count == 0) return;
  if (reduced.count == 0) return loops.fill(out, kept.count, reducer);

  const bool by_columns = kept.inner_stride() == 1 && kept.inner_size() > 1;
  // Work comes in runs of kept elements: neighbouring columns, or rows that are short enough to be worth it together.
  const int64_t line = by_columns ? kept.inner_size() : kept.count;
  const int64_t width = std::min(line, by_columns ? column_block : std::max<int64_t>(1, piece_elements / 2 / reduced.count));
  const int64_t blocks_each = (line + width - 1) / width, blocks = kept.count / line * blocks_each;
  const int64_t length = by_columns ? std::max<int64_t>(1, column_piece / width) : piece_elements;  // reduced elements to a piece
  const int64_t pieces = (reduced.count + length - 1) / length;
  const auto bytes = static_cast<int64_t>(loops.accumulator);
  const memory::Scratch<std::byte> partial(pieces > 1 ? pieces * kept.count * bytes : 0);
  std::byte* results = pieces > 1 ? partial.data() : static_cast<std::byte*>(out);

  const int64_t cost = std::min(length, reduced.count) * width;
  parallel_for(pieces * blocks, std::max<int64_t>(1, piece_elements / 2 / cost), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      const int64_t piece = item / blocks, block = item % blocks, begin = piece * length, end = std::min(begin + length, reduced.count);
      const int64_t within = block % blocks_each * width, index = block / blocks_each * line + within, count = std::min(width, line - within);
      std::byte* result = results + (piece * kept.count + index) * bytes;
      const auto* data = static_cast<const std::byte*>(x.raw());
      if (by_columns)
        loops.columns(data + kept.offset(index) * static_cast<int64_t>(loops.element), count, reduced, begin, end, reducer, result);
      else
        loops.rows(data, kept, index, count, reduced, begin, end, reducer, result);
    }
  });
  if (pieces == 1) return;
  parallel_for(kept.count, std::max<int64_t>(1, piece_elements / pieces), [&](int64_t first, int64_t last) {
    std::byte* to = static_cast<std::byte*>(out) + first * bytes;
    std::memcpy(to, results + first * bytes, static_cast<size_t>((last - first) * bytes));
    for (int64_t piece = 1; piece < pieces; ++piece) loops.merge(to, results + (piece * kept.count + first) * bytes, last - first, reducer);
  });
}

}  // namespace detail
}  // namespace scry::kernels
