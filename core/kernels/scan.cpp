#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/lanes.hpp>
#include <scry/core/kernels/scan.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;

// Elements that lie between two neighbours along the axis.
int64_t inner_size(const Shape& shape, int axis) {
  int64_t size = 1;
  for (int i = axis + 1; i < shape.rank(); ++i) size *= shape[i];
  return size;
}

// Runs state = next(state, i) over the elements i of every line along the axis of a row-major tensor, and keeps each state in `out`.
template <class Out, class Acc, class F>
void scan(const Tensor& out, int axis, bool reverse, Acc start, const F& next) {
  constexpr int64_t block = 1024;
  if (out.numel() == 0) return;
  const int64_t inner = inner_size(out.shape(), axis), length = out.shape()[axis], lines = out.numel() / length, width = std::min(inner, block),
                blocks = (inner + width - 1) / width;
  auto* to = static_cast<Out*>(out.raw());
  parallel_for(lines / inner * blocks, std::max<int64_t>(1, (1 << 15) / (length * width)), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      if (inner == 1) {
        Acc state = start;
        for (int64_t k = 0; k < length; ++k) {
          const int64_t at = item * length + (reverse ? length - 1 - k : k);
          to[at] = static_cast<Out>(state = next(state, at));
        }
        continue;
      }
      const int64_t column = item % blocks * width, columns = std::min(width, inner - column);
      Acc state[block];
      std::fill_n(state, columns, start);
      for (int64_t k = 0; k < length; ++k) {
        const int64_t at = (item / blocks * length + (reverse ? length - 1 - k : k)) * inner + column;
        for (int64_t c = 0; c < columns; ++c) to[at + c] = static_cast<Out>(state[c] = next(state[c], at + c));
      }
    }
  });
}

struct Add {
  static constexpr int identity = 0;
  auto operator()(auto a, auto b) const { return a + b; }
};
struct Multiply {
  static constexpr int identity = 1;
  auto operator()(auto a, auto b) const { return a * b; }
};

// The upper half of every `step` * 2 lanes takes the last lane of the lower half, which takes `fill`'s.
template <int step, class V, int... I>
V carried(const V& lanes, const V& fill, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(fill, lanes, (I & step ? I / step * step - 1 + static_cast<int>(sizeof...(I)) : I)...);
}
template <class V, int... I>
V last_lane(const V& lanes, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(lanes, lanes, (I * 0 + static_cast<int>(sizeof...(I)) - 1)...);
}
template <class V, int... I>
V flipped(const V& lanes, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(lanes, lanes, (static_cast<int>(sizeof...(I)) - 1 - I)...);
}
// The running results of a register, in as many steps as it can be halved.
template <int step = 1, class V, class Op>
V prefix(const V& lanes, const V& identity, const Op& op) {
  constexpr auto places = std::make_integer_sequence<int, lane_count<V>>();
  if constexpr (step == lane_count<V>)
    return lanes;
  else
    return prefix<2 * step>(op(carried<step>(lanes, identity, places), lanes), identity, op);
}

// The result of `count` elements, from the front or the back. The running ones, after `start`, go to `to` if that is anywhere.
template <class Acc, class T, class Op>
Acc scan_row(const T* from, Total<T>* to, int64_t count, bool reverse, Acc start, const Op& op) {
  constexpr int64_t width = 4;  // wider registers take more steps than they save
  using V = Lanes<Acc, width>;
  constexpr auto places = std::make_integer_sequence<int, static_cast<int>(width)>();
  const V identity = V{} + Acc{Op::identity}, first = V{} + start;
  const bool at_once = start == Acc{Op::identity};
  V before = identity;
  int64_t i = 0;
  for (; i + width <= count; i += width) {
    const int64_t at = reverse ? count - i - width : i;
    V lanes = convert_lanes<V>(load_lanes<Lanes<T, width>>(from + at));
    lanes = prefix(reverse ? flipped(lanes, places) : lanes, identity, op);
    if (to) {
      V running = op(before, lanes);
      if (!at_once) running = op(first, running);
      store_lanes(to + at, convert_lanes<Lanes<Total<T>, width>>(reverse ? flipped(running, places) : running));
    }
    before = op(before, last_lane(lanes, places));
  }
  Acc total = before[0];
  for (; i < count; ++i) {
    const int64_t at = reverse ? count - 1 - i : i;
    total = op(total, static_cast<Acc>(from[at]));
    if (to) to[at] = static_cast<Total<T>>(op(start, total));
  }
  return total;
}

// A long line in pieces: what goes before a piece is known when the totals of those before are. With one thread, each is read once.
template <class Acc, class T, class Op>
void scan_line(const T* from, Total<T>* to, int64_t length, bool reverse, const Op& op) {
  constexpr int64_t piece = 1 << 14, together = 16;  // which stay in the second cache
  const bool alone = thread_count() == 1 || in_parallel();
  Acc starts[together + 1]{Acc{Op::identity}};
  for (int64_t done = 0; done < length; done += piece * together) {
    const int64_t pieces = std::min(together, (length - done + piece - 1) / piece);
    const auto scan_piece = [&](int64_t i, bool keep) {
      const int64_t begin = done + i * piece, count = std::min(piece, length - begin), at = reverse ? length - begin - count : begin;
      const Acc before = keep ? starts[i] : Acc{Op::identity};  // which another thread may be about to learn
      return scan_row(from + at, keep ? to + at : nullptr, count, reverse, before, op);
    };
    if (!alone)
      parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) starts[i + 1] = scan_piece(i, false);
      });
    for (int64_t i = 0; i < pieces; ++i) starts[i + 1] = op(starts[i], alone ? scan_piece(i, true) : starts[i + 1]);
    if (!alone)
      parallel_for(pieces, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) scan_piece(i, true);
      });
    starts[0] = starts[pieces];
  }
}

template <class Op>
Tensor running(const Tensor& input, int axis, bool reverse, const Op& op) {
  return dispatch(input.dtype(), [&]<class T>() {
    const Tensor x = contiguous(input);
    Tensor out = Tensor::empty(x.shape(), dtype_of<Total<T>>());
    if (out.numel() == 0) return out;
    const auto* from = static_cast<const std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>*>(x.raw());
    auto* to = static_cast<Total<T>*>(out.raw());
    const int64_t length = out.shape()[axis], lines = out.numel() / length;
    if (inner_size(out.shape(), axis) > 1) {
      scan<Total<T>>(out, axis, reverse, Wide<T>{Op::identity}, [&](auto state, int64_t i) { return op(state, static_cast<Wide<T>>(from[i])); });
    } else if (length > 1 << 16) {
      for (int64_t i = 0; i < lines; ++i) scan_line<Wide<T>>(from + i * length, to + i * length, length, reverse, op);
    } else {
      parallel_for(lines, std::max<int64_t>(1, (1 << 15) / length), [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) scan_row(from + i * length, to + i * length, length, reverse, Wide<T>{Op::identity}, op);
      });
    }
    return out;
  });
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis, bool reverse) { return running(x, axis, reverse, Add{}); }
Tensor cumprod(const Tensor& x, int axis, bool reverse) { return running(x, axis, reverse, Multiply{}); }

Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse) {
  const Tensor factors = contiguous(a), terms = contiguous(b);
  Tensor out = Tensor::empty(a.shape(), a.dtype());
  dispatch_floating("recurrence", a.dtype(), [&]<class T>() {
    const T *factor = static_cast<const T*>(factors.raw()), *term = static_cast<const T*>(terms.raw());
    scan<T>(out, axis, reverse, 0.0, [=](double y, int64_t i) { return static_cast<double>(factor[i]) * y + static_cast<double>(term[i]); });
  });
  return out;
}

}  // namespace scry::kernels
