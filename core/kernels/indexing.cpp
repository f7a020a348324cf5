#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/indexing.hpp>
#include <scry/core/kernels/map.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <numeric>

namespace scry::kernels {
namespace {

// The three operands: what is looked up in, what lies side by side with the index, and the index.
enum Operand : size_t { table, values, indices, operand_count };
using Steps = std::array<int64_t, operand_count>;

// All axes but the indexed one, merged where every operand steps alike; the last one holds the columns.
struct Lines {
  size_t rank = 0;
  std::array<int64_t, Shape::max_rank + 1> sizes{};
  std::array<Steps, Shape::max_rank + 1> steps{};
  int64_t rows = 1, columns = 1;
  Steps column{}, along{};
  bool lengthwise = false;  // the values of a line lie closer to each other than those of a row

  Lines(const Tensor& looked_up, const Tensor& aligned, const Tensor& index, int axis) {
    const auto steps_of = [&](int i) { return Steps{looked_up.strides()[i], aligned.strides()[i], index.strides()[i]}; };
    for (int i = 0; i < index.rank(); ++i)
      if (i != axis && index.shape()[i] != 1) add(index.shape()[i], steps_of(i));
    if (rank > 0) {
      --rank;
      columns = sizes[rank];
      column = steps[rank];
    }
    for (size_t i = 0; i < rank; ++i) rows *= sizes[i];
    along = steps_of(axis);
    lengthwise = columns == 1 || std::abs(along[values]) < std::abs(column[values]);
  }

  void add(int64_t size, const Steps& by) {
    bool merges = rank > 0;
    for (size_t k = 0; merges && k < operand_count; ++k) merges = steps[rank - 1][k] == by[k] * size;
    if (!merges) sizes[rank++] = 1;
    sizes[rank - 1] *= size;
    steps[rank - 1] = by;
  }

  int64_t offset(int64_t row, Operand operand) const {
    int64_t at = 0;
    for (size_t i = rank; i-- > 0; row /= sizes[i]) at += row % sizes[i] * steps[i][operand];
    return at;
  }
};

// f(element of the table, element of the values) for a block of `columns` lines, `length` entries of each.
template <class T, class F>
void run_block(const Lines& lines, T* looked_up, T* aligned, const int64_t* index, int64_t columns, int64_t length, const F& f) {
  const Steps &column = lines.column, &along = lines.along;
  const auto one = [&](int64_t i, int64_t c) {
    const int64_t entry = index[i * along[indices] + c * column[indices]];
    f(looked_up[entry * along[table] + c * column[table]], aligned[i * along[values] + c * column[values]]);
  };
  if (columns > 1 && column[indices] == 0 && column[table] == 1 && column[values] == 1) {
    for (int64_t i = 0; i < length; ++i) {  // one entry for a whole row
      T* from = looked_up + index[i * along[indices]] * along[table];
      T* to = aligned + i * along[values];
      for (int64_t c = 0; c < columns; ++c) f(from[c], to[c]);
    }
  } else if (lines.lengthwise) {
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t i = 0; i < length; ++i) one(i, c);
  } else {
    for (int64_t i = 0; i < length; ++i)
      for (int64_t c = 0; c < columns; ++c) one(i, c);
  }
}

// The same for all lines. With `ordered` all entries of a line are run in order by one thread, since they may speak of the same element.
template <class T, class F>
void for_each_entry(const Tensor& looked_up, const Tensor& aligned, const Tensor& index, int axis, bool ordered, const F& f) {
  if (index.numel() == 0) return;
  constexpr int64_t piece = 1 << 14;
  const Lines lines(looked_up, aligned, index, axis);
  // Lines that lie side by side in the table are run together, few enough for it to stay in cache unless they share their index.
  const int64_t n = index.shape()[axis], most = lines.lengthwise ? piece / n : !ordered && lines.column[indices] == 0 ? piece : 64;
  const int64_t width = std::clamp<int64_t>(most, 1, lines.columns), length = ordered ? n : std::min(n, std::max<int64_t>(1, piece / width));
  const int64_t blocks = (lines.columns + width - 1) / width, pieces = (n + length - 1) / length;
  auto* in = static_cast<T*>(looked_up.raw());
  auto* side = static_cast<T*>(aligned.raw());
  const auto* entries = static_cast<const int64_t*>(index.raw());
  parallel_for(lines.rows * pieces * blocks, std::max<int64_t>(1, piece / (width * length)), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t i = item % pieces * length, c = item / pieces % blocks * width, row = item / pieces / blocks;
      const auto at = [&](Operand k) { return lines.offset(row, k) + c * lines.column[k]; };
      run_block(lines, in + at(table), side + at(values) + i * lines.along[values], entries + at(indices) + i * lines.along[indices],
                std::min(width, lines.columns - c), std::min(length, n - i), f);
    }
  });
}

// Calls `move.operator()<T>()` with an integer type as large as the elements, for kernels that only move them.
template <class F>
void by_size(DType dtype, const F& move) {
  const size_t size = size_of(dtype);
  size == 1 ? move.template operator()<uint8_t>() : size == 4 ? move.template operator()<uint32_t>() : move.template operator()<uint64_t>();
}

}  // namespace

Tensor checked_index(std::string_view op, const Tensor& index, const Shape& shape, int axis, bool negative) {
  require(index.defined() && index.dtype() == i64, op, ": expected an index of i64",
          index.defined() ? text(", got ", index.dtype(), " of shape ", index.shape()) : "");
  const int64_t size = shape[axis];
  if (index.numel() == 0) return index;
  const uint32_t all_axes = (1u << index.rank()) - 1;
  const auto low = *static_cast<int64_t*>(amin(index, all_axes, false).raw()), high = *static_cast<int64_t*>(amax(index, all_axes, false).raw());
  const bool below = low < (negative ? -size : 0);
  require(!below && high < size, op, ": index ", below ? low : high, " is out of range for axis ", axis, " of shape ", shape);
  if (low >= 0) return index;
  return map<int64_t, int64_t>(index, [size](int64_t i) { return i < 0 ? i + size : i; });
}

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  Tensor out = Tensor::empty(index.shape(), x.dtype());
  by_size(x.dtype(), [&]<class T>() { for_each_entry<T>(x, out, index, axis, false, [](const T& from, T& to) { to = from; }); });
  return out;
}

void scatter_into(const Tensor& out, int axis, const Tensor& index, const Tensor& x) {
  by_size(x.dtype(), [&]<class T>() { for_each_entry<T>(out, x, index, axis, true, [](T& to, const T& from) { to = from; }); });
}

void scatter_add_into(const Tensor& out, int axis, const Tensor& index, const Tensor& x) {
  dispatch(x.dtype(), [&]<class T>() {
    using W = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;  // integers wrap around
    for_each_entry<W>(out, x, index, axis, true, [](W& to, const W& from) { to = static_cast<W>(to + from); });
  });
}

Tensor nonzero_positions(const Tensor& x) {
  const Tensor dense = contiguous(cast(x, boolean));
  const auto* set = static_cast<const uint8_t*>(dense.raw());
  constexpr int64_t piece = 1 << 15;
  const int64_t n = x.numel(), pieces = (n + piece - 1) / piece;
  const memory::Scratch<int64_t> starts(pieces + 1);
  starts[0] = 0;
  parallel_for(n, piece, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t i = begin; i < end; ++i) count += set[i];
    starts[begin / piece + 1] = count;
  });
  std::partial_sum(starts.data(), starts.data() + pieces + 1, starts.data());
  Tensor out = Tensor::empty({starts[pieces]}, i64);
  auto* positions = static_cast<int64_t*>(out.raw());
  parallel_for(n, piece, [&](int64_t begin, int64_t end) {
    int64_t* to = positions + starts[begin / piece];
    int64_t found[256];  // filled without branches, which a random mask would have guessed wrong
    for (int64_t i = begin; i < end;) {
      int64_t count = 0;
      for (const int64_t stop = std::min(end, i + 256); i < stop; ++i) {
        found[count] = i;
        count += set[i];
      }
      to = std::copy_n(found, count, to);
    }
  });
  return out;
}

Tensor unravel(const Tensor& positions, const Shape& shape) {
  const int rank = shape.rank();
  Tensor out = Tensor::empty({positions.numel(), rank}, i64);
  const auto* from = static_cast<const int64_t*>(positions.raw());
  auto* to = static_cast<int64_t*>(out.raw());
  parallel_for(positions.numel(), 1 << 13, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t rest = from[i];
      for (int axis = rank - 1; axis >= 0; rest /= shape[axis--]) to[i * rank + axis] = rest % shape[axis];
    }
  });
  return out;
}

}  // namespace scry::kernels
