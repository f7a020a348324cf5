#pragma once

// How a reduction is written: as a formula on registers of numbers. A reducer names the type of its states' numbers, `parts` of which make a state,
// and brings `identity(part)`. One of a single part has `take(state, elements)` and `merge(state, state)`. Others have `take(state&, elements,
// index)` and `merge(state, state, later)`, or, where they look at their elements more than once, `take_rows(states, rows)`, which gets rows that are
// in cache. `start(first element)` is the identity of a reducer that goes by the first element of all.

#include <scry/core/kernels/lanes.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <algorithm>

namespace scry::kernels {

/// States side by side.
template <class Number, int count>
struct States {
  Lanes<Number, lanes_of<Number>> part[count];
};
template <class R>
using StatesOf = States<typename R::Number, R::parts>;

namespace detail {

// `registers` registers of neighbouring columns in the rows of a tile.
template <class T, int64_t lanes, int wide>
struct Rows {
  using V = Lanes<T, lanes>;
  static constexpr int registers = wide;
  const Tile& tile;
  const T* data;

  int64_t count() const { return tile.rows; }
  int64_t index(int64_t row) const { return tile.index + row * tile.stride; }
  V at(int64_t row, int r) const { return load_lanes<V>(data + row * tile.step + r * lanes); }
  /// Asks for what will be wanted next. Many rows side by side are more than the processor looks ahead in. (GCC drops calls that do nothing else.)
  [[gnu::always_inline]] void fetch(int64_t row) const {
    if (!tile.ahead) return;
    const auto* next = reinterpret_cast<const char*>(data + row * tile.step) + tile.ahead;
    for (int64_t byte = 0; byte < registers * static_cast<int64_t>(sizeof(V)); byte += 64) __builtin_prefetch(next + byte, 0, 2);
  }
};

// These loops are unrolled early: only then compilers hold states in registers.
template <class S, class Number>
S load_states(const Number* from, int64_t pitch) {
  S states;
#pragma GCC unroll 3
  for (auto& part : states.part) part = load_lanes<std::remove_reference_t<decltype(part)>>(from + (&part - states.part) * pitch);
  return states;
}
template <class S, class Number>
void store_states(Number* to, int64_t pitch, const S& states) {
#pragma GCC unroll 3
  for (const auto& part : states.part) store_lanes(to + (&part - states.part) * pitch, part);
}

template <class T, class R, int registers>
[[gnu::always_inline]] inline void take_rows(const R& reducer, const Tile& tile, int64_t column, StatesOf<R> (&states)[registers]) {
  const Rows<T, lanes_of<typename R::Number>, registers> rows{tile, static_cast<const T*>(tile.data) + column};
  if constexpr (requires { reducer.take_rows(states, rows); }) {
    reducer.take_rows(states, rows);
  } else {
    for (int64_t row = 0; row < tile.rows; ++row) {
      rows.fetch(row);
#pragma GCC unroll 8
      for (int r = 0; r < registers; ++r)
        if constexpr (requires { reducer.take(states[r], rows.at(row, r), row); })
          reducer.take(states[r], rows.at(row, r), rows.index(row));
        else
          states[r].part[0] = reducer.take(states[r].part[0], rows.at(row, r));
    }
  }
}

template <class R>
StatesOf<R> merged(const R& reducer, const StatesOf<R>& a, const StatesOf<R>& b, int64_t later) {
  if constexpr (requires { reducer.merge(a, b, later); })
    return reducer.merge(a, b, later);
  else
    return {{reducer.merge(a.part[0], b.part[0])}};
}

// What states are before they have taken anything, whose first elements of all are `first` (of all of them, or lane by lane).
template <class R, class First>
StatesOf<R> start_of(const R& reducer, const First& first) {
  if constexpr (requires { reducer.start(first); }) {
    return reducer.start(first);
  } else {
    StatesOf<R> states;
#pragma GCC unroll 3
    for (auto& part : states.part) part = std::remove_reference_t<decltype(part)>{} + reducer.identity(static_cast<int>(&part - states.part));
    return states;
  }
}

// The states of columns from `column` on take their rows.
template <int registers, class T, class R>
void take_strip(const R& reducer, const Tile& tile, int64_t column, typename R::Number* to, int64_t pitch) {
  constexpr int64_t lanes = lanes_of<typename R::Number>;
  StatesOf<R> states[registers];
#pragma GCC unroll 8
  for (int r = 0; r < registers; ++r)
    states[r] = tile.first ? start_of(reducer, load_lanes<Lanes<T, lanes>>(static_cast<const T*>(tile.first) + column + r * lanes))
                           : load_states<StatesOf<R>>(to + r * lanes, pitch);
  take_rows<T>(reducer, tile, column, states);
#pragma GCC unroll 8
  for (int r = 0; r < registers; ++r) store_states(to + r * lanes, pitch, states[r]);
}

// The last columns go through registers that reach back over columns which others take, too.
template <int registers, class T, class R>
void take_strips(const R& reducer, const Tile& tile, typename R::Number* states, int64_t pitch) {
  constexpr int64_t strip = registers * lanes_of<typename R::Number>;
  const int64_t end = tile.columns - strip;
  const bool rest = tile.columns % strip != 0;
  typename R::Number last[R::parts * strip];
  if (rest) {
    for (int part = 0; part < R::parts; ++part) std::copy_n(states + part * pitch + end, strip, last + part * strip);
    Tile there = tile;
    there.data = static_cast<const T*>(tile.data) + end;
    if (tile.first) there.first = static_cast<const T*>(tile.first) + end;
    take_strip<registers, T>(reducer, there, 0, last, strip);
  }
  for (int64_t c = 0; c <= end; c += strip) take_strip<registers, T>(reducer, tile, c, states + c, pitch);
  for (int part = 0; rest && part < R::parts; ++part) std::copy_n(last + part * strip, strip, states + part * pitch + end);
}

template <class T, class R>
void take_tile(const R& reducer, const Tile& tile, typename R::Number* states, int64_t pitch) {
  constexpr int64_t lanes = lanes_of<typename R::Number>;
  // Few long rows are read quickest four lines of memory at a time, many rows two.
  constexpr int wide = R::parts == 1 && sizeof(T) < sizeof(typename R::Number) ? 2 * R::registers : R::registers;
  if (wide > R::registers && tile.first && tile.rows <= few_rows && tile.columns >= wide * lanes)
    return take_strips<wide, T>(reducer, tile, states, pitch);
  if (tile.columns >= R::registers * lanes) return take_strips<R::registers, T>(reducer, tile, states, pitch);
  if (tile.columns >= lanes) return take_strips<1, T>(reducer, tile, states, pitch);
  typename R::Number own[R::parts * lanes];  // a register with room
  for (int part = 0; part < R::parts; ++part) std::copy_n(states + part * pitch, lanes, own + part * lanes);
  for (int64_t row = 0; row < tile.rows; ++row) {
    T elements[lanes]{};
    std::copy_n(static_cast<const T*>(tile.data) + row * tile.step, tile.columns, elements);
    take_strip<1, T>(reducer, {elements, lanes, 1, 0, 0, tile.index + row * tile.stride, 0}, 0, own, lanes);
  }
  for (int part = 0; part < R::parts; ++part) std::copy_n(own + part * lanes, tile.columns, states + part * pitch);
}

// Rows that are turned into columns, as many as fill some registers at a time.
template <class T, class R>
void take_turned(const R& reducer, const Lines& rows, typename R::Number* to, int64_t pitch) {
  constexpr int registers = 2;
  constexpr int64_t lanes = lanes_of<typename R::Number>, together = registers * lanes;
  alignas(64) T columns[std::max(longest_turned, lanes) * together];
  typename R::Number own[R::parts * together];
  for (int64_t i = 0; i < rows.count; i += together) {
    const int64_t count = std::min(together, rows.count - i), behind = rows.count - i - count + rows.behind;
    turn({rows.data + i * rows.apart * static_cast<int64_t>(sizeof(T)), rows.size, rows.step, count, rows.apart, behind}, sizeof(T),
         reinterpret_cast<std::byte*>(columns), together);
    StatesOf<R> states[registers];
    for (int r = 0; r < registers; ++r) states[r] = start_of(reducer, load_lanes<Lanes<T, lanes>>(columns + r * lanes));
    take_rows<T>(reducer, {columns, together, rows.size, together, 0, 0, 1}, 0, states);
    const bool all = count == together;
    for (int r = 0; r < registers; ++r) store_states((all ? to + i : own) + r * lanes, all ? pitch : together, states[r]);
    for (int part = 0; part < R::parts && !all; ++part) std::copy_n(own + part * together, count, to + part * pitch + i);
  }
}

// A line's states in a register's lanes, which have taken the elements before `done`.
template <class T, class R>
[[gnu::always_inline]] inline StatesOf<R> take_rest(const R& reducer, const T* data, int64_t count, int64_t done, StatesOf<R> before) {
  constexpr int64_t lanes = lanes_of<typename R::Number>;
  const int64_t rows = (count - done) / lanes, rest = (count - done) % lanes;
  StatesOf<R> states[1] = {before};
  take_rows<T>(reducer, {data + done, lanes, rows, lanes, 0, done, lanes}, 0, states);
  if (rest == 0) return states[0];
  StatesOf<R> more[1] = {states[0]};  // a register that reaches back
  take_rows<T>(reducer, {data + count - lanes, lanes, 1, 0, 0, count - lanes, 0}, 0, more);
  for (int part = 0; part < R::parts; ++part) more[0].part[part] = from_lane(lanes - rest, more[0].part[part], states[0].part[part]);
  return more[0];
}

// The same of a line that may be narrower than a register, or long: from strips of several registers, which don't wait for each other.
template <int registers, class T, class R>
StatesOf<R> take_any(const R& reducer, const T* data, int64_t count, const StatesOf<R>& before) {
  constexpr int64_t lanes = lanes_of<typename R::Number>, strip = registers * lanes, in_cache = 64;
  if (count < lanes) {
    T few[lanes]{};
    std::copy_n(data, count, few + lanes - count);
    return take_rest(reducer, few + lanes - count, count, 0, before);
  }
  StatesOf<R> states[registers];
  std::fill_n(states, registers, before);
  int64_t done = 0;
  while (done + strip <= count) {
    const int64_t rows = std::min((count - done) / strip, in_cache);
    take_rows<T>(reducer, {data + done, strip, rows, strip, 0, done, strip}, 0, states);
    done += rows * strip;
  }
  for (int half = registers / 2; half > 0; half /= 2)
    for (int r = 0; r < half; ++r) states[r] = merged(reducer, states[r], states[r + half], half * lanes);
  return take_rest(reducer, data, count, done, states[0]);
}

// Of runs of `step` lanes of a and b, the first ones of every two, or the second ones.
template <int step, bool second, class V, int... I>
V runs_of(const V& a, const V& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / step * 2 * step + I % step + (second ? step : 0))...);
}

// The states of lines, each in the lanes of a register, become one with a lane for each: two registers (or one, twice) are merged to one, in whose
// runs of `step` lanes the lines alternate, until the runs are single lanes.
template <int step, class R>
[[gnu::always_inline]] inline void merge_lines(const R& reducer, StatesOf<R>* lines, int64_t count) {
  constexpr auto places = std::make_integer_sequence<int, lanes_of<typename R::Number>>();
#pragma GCC unroll 8
  for (int64_t i = 0; i < count; i += 2) {
    const auto &a = lines[i], &b = lines[std::min(i + 1, count - 1)];
    StatesOf<R> first, second;
    for (int part = 0; part < R::parts; ++part) {
      first.part[part] = runs_of<step, false>(a.part[part], b.part[part], places);
      second.part[part] = runs_of<step, true>(a.part[part], b.part[part], places);
    }
    lines[i / 2] = merged(reducer, first, second, step);
  }
  if constexpr (step > 1) merge_lines<step / 2>(reducer, lines, (count + 1) / 2);
}

// One line after the other, which memory is quickest with.
template <class T, class R>
void take_lines(const R reducer, const Lines& lines, typename R::Number* to, int64_t pitch) {
  constexpr int registers = 4;
  constexpr int64_t lanes = lanes_of<typename R::Number>, long_enough = 8 * registers * lanes;  // neighbours overlap in shorter lines
  const int64_t size = lines.size, apart = lines.apart;
  const auto *data = reinterpret_cast<const T*>(lines.data), *first = lines.first ? static_cast<const T*>(lines.first) : data;
  for (int64_t i = 0, count; i < lines.count; i += count) {
    count = lines.count - i < lanes ? 1 : lanes;
    const auto *from = data + i * apart, *start = first + i * apart;
    StatesOf<R> states[lanes];
    if (lanes <= size && size < long_enough) {
#pragma GCC unroll 4
      for (int64_t line = 0; line < count; ++line)
        states[line] = take_rest(reducer, from + line * apart, size, 0, start_of(reducer, start[line * apart]));
    } else {
      for (int64_t line = 0; line < count; ++line)
        states[line] = take_any<registers>(reducer, from + line * apart, size, start_of(reducer, start[line * apart]));
    }
    if (count == lanes) {
      merge_lines<static_cast<int>(lanes / 2)>(reducer, states, lanes);
      store_states(to + i, pitch, states[0]);
    } else {
      merge_lines<static_cast<int>(lanes / 2)>(reducer, states, 1);
      for (int part = 0; part < R::parts; ++part) to[part * pitch + i] = states[0].part[part][0];
    }
  }
}

// The states of `times` times some columns, whose first elements of all are `first`, if there are any.
template <class T, class R>
void fill_states(const R& reducer, typename R::Number* states, int64_t pitch, int64_t columns, int64_t times, const T* first) {
  if constexpr (requires { reducer.start(T{}); }) {
    using V = Lanes<T, lanes_of<typename R::Number>>;
    for (int64_t at = 0; at < columns * times; at += columns) {
      int64_t i = 0;
      for (; first && i + lane_count<V> <= columns; i += lane_count<V>) store_states(states + at + i, pitch, reducer.start(load_lanes<V>(first + i)));
      for (; i < columns; ++i) store_states(states + at + i, pitch, reducer.start(first ? first[i] : T{}));
    }
  } else {
    for (int part = 0; part < R::parts; ++part) std::fill_n(states + part * pitch, columns * times, reducer.identity(part));
  }
}

template <class R>
void merge_states(const R& reducer, typename R::Number* into, int64_t pitch, const typename R::Number* from, int64_t from_pitch, int64_t count,
                  int64_t later) {
  using S = StatesOf<R>;
  for (int64_t i = 0; i < count; i += lanes_of<typename R::Number>)
    store_states(into + i, pitch, merged(reducer, load_states<S>(into + i, pitch), load_states<S>(from + i, from_pitch), later));
}

template <class T, class R>
inline constexpr ReduceLoops reduce_loops{
    sizeof(T),
    sizeof(typename R::Number),
    R::parts,
    lanes_of<typename R::Number>,
    lanes_of<typename R::Number>* R::registers,
    R::parts > 1 ? longest_turned : lanes_of<typename R::Number> - 1,  // where merging is dear
    [](const void* reducer, void* states, int64_t pitch, int64_t columns, int64_t times, const void* first) {
      fill_states<T>(*static_cast<const R*>(reducer), static_cast<typename R::Number*>(states), pitch, columns, times, static_cast<const T*>(first));
    },
    [](const void* reducer, const Tile& tile, void* states, int64_t pitch) {
      take_tile<T>(*static_cast<const R*>(reducer), tile, static_cast<typename R::Number*>(states), pitch);
    },
    [](const void* reducer, const Lines& lines, void* states, int64_t pitch) {
      take_turned<T>(*static_cast<const R*>(reducer), lines, static_cast<typename R::Number*>(states), pitch);
    },
    [](const void* reducer, const Lines& lines, void* states, int64_t pitch) {
      take_lines<T>(*static_cast<const R*>(reducer), lines, static_cast<typename R::Number*>(states), pitch);
    },
    [](const void* reducer, void* into, int64_t pitch, const void* from, int64_t from_pitch, int64_t count, int64_t later) {
      using Number = typename R::Number;
      merge_states(*static_cast<const R*>(reducer), static_cast<Number*>(into), pitch, static_cast<const Number*>(from), from_pitch, count, later);
    }};

}  // namespace detail

/// Calls finish(states, pitch, first, count) for all kept elements of x, in row-major order of the kept axes, from several threads.
template <class T, class R, class F>
void reduce(const Tensor& x, uint32_t mask, const R& reducer, const F& finish) {
  detail::run_reduction(x, mask, detail::reduce_loops<T, R>, &reducer, [&](const void* states, int64_t pitch, int64_t first, int64_t count) {
    finish(static_cast<const typename R::Number*>(states), pitch, first, count);
  });
}

}  // namespace scry::kernels
