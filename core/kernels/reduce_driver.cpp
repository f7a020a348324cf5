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
constexpr int64_t tile_elements = 4096;                         // a tile has that many, and more where rows are long
constexpr int64_t fewest_turned = 16;                           // rows that are worth turning into columns
constexpr int64_t widest = sizeof(double), most_parts = 3, register_bytes = 64;
constexpr int64_t pitch = most_together + register_bytes;  // so that a register at the last state reaches into no other part
constexpr int64_t state_bytes = most_parts * pitch * widest;

class Reduction {
 public:
  Reduction(const Tensor& x, const ReducePlan& plan, const ReduceLoops& loops, const void* reducer)
      : data_(static_cast<const std::byte*>(x.raw())), kept_(plan.kept), reduced_(plan.reduced), loops_(loops), reducer_(reducer) {
    by_columns_ = kept_.inner_stride() == 1 && kept_.inner_size() > 1;
    in_lines_ = reduced_.rank == 0 || (reduced_.rank == 1 && reduced_.strides[0] == 1);
    turned_ = !by_columns_ && reduced_.rank <= 1 &&
              (reduced_.count < loops.lanes || (kept_.count >= fewest_turned && reduced_.count <= (in_lines_ ? loops.short_row : longest_turned)));
    const int64_t size = std::max<int64_t>(1, reduced_.count);
    line_ = by_columns_ ? kept_.inner_size() : kept_.count;
    width_ = std::min(line_, most_together);
    if (!by_columns_) width_ = std::clamp<int64_t>(row_piece / 2 / size, 1, width_);
    length_ = by_columns_ ? std::max<int64_t>(1, column_piece / width_) : row_piece;
    pieces_ = (size + length_ - 1) / length_;
    // Narrow rows that lie one after the other are taken several at a time, each with states of its own.
    const bool dense = width_ < loops.lanes || (reduced_.rank == 1 && reduced_.strides[0] == width_);
    const auto more = [&](int64_t rows) { return width_ * groups_ < loops.strip || (32 * groups_ <= rows && width_ * groups_ < 256); };
    while (by_columns_ && dense && 2 * groups_ <= std::min(size, length_) && more(std::min(size, length_))) groups_ *= 2;
    blocks_each_ = (line_ + width_ - 1) / width_;
    blocks_ = kept_.count / line_ * blocks_each_;
  }

  void run(Finish finish) const {
    const memory::Scratch<std::byte> partial(pieces_ > 1 ? pieces_ * blocks_ * part_of_all() : 0);
    const int64_t cost = std::min(length_, std::max<int64_t>(1, reduced_.count)) * width_;
    parallel_for(pieces_ * blocks_, std::max<int64_t>(1, row_piece / 2 / cost), [&](int64_t from, int64_t to) {
      alignas(64) std::byte states[state_bytes];
      for (int64_t item = from; item < to; ++item) {
        const Block block = block_at(item % blocks_);
        const int64_t begin = item / blocks_ * length_, end = std::min(begin + length_, reduced_.count);
        const int64_t together = by_columns_ && pieces_ == 1 && end <= few_rows ? 2 * loops_.strip : width_;
        for (int64_t i = 0; i < block.count; i += together) {
          const Block some{block.first + i, std::min(together, block.count - i)};
          take(some, begin, end, states);
          if (pieces_ == 1) finish(states, pitch, some.first, some.count);
        }
        if (pieces_ > 1)
          for (int64_t part = 0; part < loops_.parts; ++part)
            std::copy_n(states + part * pitch * loops_.state, block.count * loops_.state,
                        partial.data() + item * part_of_all() + part * padded() * loops_.state);
      }
    });
    if (pieces_ == 1) return;
    parallel_for(blocks_, std::max<int64_t>(1, row_piece / (pieces_ * width_)), [&](int64_t from, int64_t to) {
      for (int64_t index = from; index < to; ++index) {
        const Block block = block_at(index);
        std::byte* all = partial.data() + index * part_of_all();
        for (int64_t piece = 1; piece < pieces_; ++piece)
          loops_.merge(reducer_, all, padded(), all + piece * blocks_ * part_of_all(), padded(), block.count, piece * length_);
        finish(all, padded(), block.first, block.count);
      }
    });
  }

 private:
  // Kept elements that are reduced together.
  struct Block {
    int64_t first, count;
  };
  Block block_at(int64_t index) const {
    const int64_t within = index % blocks_each_ * width_;
    return {index / blocks_each_ * line_ + within, std::min(width_, line_ - within)};
  }
  int64_t padded() const { return (width_ + register_bytes) / register_bytes * register_bytes; }
  int64_t part_of_all() const { return loops_.parts * padded() * loops_.state; }
  const std::byte* at(int64_t kept, int64_t reduced) const { return data_ + (kept_.offset(kept) + reduced_.offset(reduced)) * loops_.element; }

  // Whether columns' states needn't be filled: each begins in a register with its first tile.
  bool begins_with_tile(int64_t columns) const { return groups_ == 1 && columns >= loops_.lanes; }

  // The states of a block over reduced elements [begin, end).
  void take(const Block& block, int64_t begin, int64_t end, std::byte* states) const {
    const int64_t columns = block.count;
    if ((by_columns_ && !begins_with_tile(columns)) || begin == end)
      loops_.fill(reducer_, states, pitch, columns, groups_, begin == end ? nullptr : at(block.first, 0));
    if (begin == end) return;
    if (by_columns_) {
      take_axis(block.first, columns, begin, end, states);
      for (int64_t half = groups_ / 2; half > 0; half /= 2)
        loops_.merge(reducer_, states, pitch, states + half * columns * loops_.state, pitch, half * columns, half);
    } else if (turned_ || in_lines_) {
      take_lines(block, begin, end, states);
    } else {
      for (int64_t i = 0; i < columns; ++i) {
        std::byte* state = states + i * loops_.state;
        loops_.fill(reducer_, state, pitch, 1, 1, at(block.first + i, 0));  // also over what merging has left behind the one before
        take_axis(block.first + i, 1, begin, end, state);
      }
    }
  }

  void take_lines(const Block& block, int64_t begin, int64_t end, std::byte* states) const {
    const int64_t line = kept_.inner_size(), apart = kept_.inner_stride();
    for (int64_t done = 0; done < block.count;) {
      const int64_t within = (block.first + done) % line, run = std::min(line - within, block.count - done);
      const Lines lines{at(block.first + done, begin), end - begin, reduced_.inner_stride(), run, apart, line - within - run,
                        at(block.first + done, 0)};
      (turned_ ? loops_.take_turned : loops_.take_lines)(reducer_, lines, states + done * loops_.state, pitch);
      done += run;
    }
  }

  // Reduced elements [begin, end) of neighbouring columns, or of a line.
  void take_axis(int64_t kept, int64_t columns, int64_t begin, int64_t end, std::byte* states) const {
    const int64_t size = reduced_.inner_size(), step = reduced_.inner_stride();
    const bool wide = columns >= loops_.lanes, in_place = wide || (step == columns && (reduced_.rank <= 1 || size * columns >= loops_.strip));
    alignas(64) std::byte buffer[tile_elements * widest];
    int64_t filled = 0;
    for (int64_t row = begin; row < end;) {
      const int64_t run = std::min({size - row % size, end - row, in_place ? end : tile_elements / columns - filled});
      const std::byte* from = at(kept, row);
      row += run;
      if (in_place) {
        const bool last = row == end && kept + columns < kept_.count;
        take_rows(from, columns, run, step, row - run - begin, at(kept, 0), last ? at(kept + columns, begin) : from + run * step * loops_.element,
                  states);
        continue;
      }
      turn({from, run, step, columns, 1}, static_cast<size_t>(loops_.element), buffer + filled * columns * loops_.element, columns);
      filled += run;
      if (row < end && (filled + 1) * columns <= tile_elements) continue;
      take_rows(buffer, columns, filled, columns, row - filled - begin, at(kept, 0), nullptr, states);
      filled = 0;
    }
  }

  // Rows of neighbours, or elements of a line; `next`, if anything, will be wanted after them.
  void take_rows(const std::byte* from, int64_t columns, int64_t rows, int64_t step, int64_t index, const std::byte* first, const std::byte* next,
                 std::byte* states) const {
    if (!by_columns_) {
      alignas(64) std::byte more[most_parts * register_bytes];
      loops_.take_lines(reducer_, {from, rows, 1, 1, 0, 0, first}, more, register_bytes / loops_.state);
      return loops_.merge(reducer_, states, pitch, more, register_bytes / loops_.state, 1, index);
    }
    const int64_t together = columns * groups_, times = rows / groups_,
                  least = loops_.parts > 1  ? 32
                          : step == columns ? 4
                                            : 16,
                  height = std::max(least, tile_elements / together);
    for (int64_t i = 0; i < times; i += height) {
      const std::byte* tile = from + i * groups_ * step * loops_.element;
      const int64_t ahead = !next ? 0 : i + height < times ? height * groups_ * step * loops_.element : next - tile;
      loops_.take(reducer_,
                  {tile, together, std::min(height, times - i), groups_ * step, ahead, index + i * groups_, groups_,
                   begins_with_tile(columns) && index + i == 0 ? first : nullptr},
                  states, pitch);
    }
    if (const int64_t done = times * groups_; done < rows)
      loops_.take(reducer_, {from + done * step * loops_.element, (rows - done) * columns, 1, 0, 0, index + done, 0}, states, pitch);
  }

  const std::byte* data_;
  const Axes &kept_, &reduced_;
  const ReduceLoops& loops_;
  const void* reducer_;
  bool by_columns_, in_lines_, turned_;
  int64_t line_, width_, length_, pieces_, groups_ = 1, blocks_each_, blocks_;
};

}  // namespace

void run_reduction(const Tensor& x, uint32_t mask, const ReduceLoops& loops, const void* reducer, Finish finish) {
  const ReducePlan plan(x, mask);
  if (plan.kept.count > 0) Reduction(x, plan, loops, reducer).run(finish);
}

}  // namespace detail
}  // namespace scry::kernels
