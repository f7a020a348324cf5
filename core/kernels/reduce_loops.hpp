#pragma once

// How a reduction is written: as a formula on registers of numbers. A reducer names the type of its states' numbers, `parts` of which make a state,
// and brings `identity(part)`. One of a single part has `take(state, elements)` and `merge(state, state)`. Others, and those that look at their
// elements more than once, have `take_rows(states, rows)`, which gets rows that are in cache, and `merge(state, state, later)`.

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
  /// Asks for what will be wanted next. Many rows side by side are more than the processor looks ahead in.
  void fetch(int64_t row) const {
    const auto* next = reinterpret_cast<const char*>(data + row * tile.step) + tile.ahead;
    for (int64_t byte = 0; byte < registers * static_cast<int64_t>(sizeof(V)); byte += 64) __builtin_prefetch(next + byte, 0, 2);
  }
};

template <class S, class Number>
S load_states(const Number* from, int64_t pitch) {
  S states;
  for (auto& part : states.part) part = load_lanes<std::remove_reference_t<decltype(part)>>(from + (&part - states.part) * pitch);
  return states;
}
template <class S, class Number>
void store_states(Number* to, int64_t pitch, const S& states) {
  for (const auto& part : states.part) store_lanes(to + (&part - states.part) * pitch, part);
}

template <class T, class R, int registers>
void take_rows(const R& reducer, const Tile& tile, int64_t column, StatesOf<R> (&states)[registers]) {
  const Rows<T, lanes_of<typename R::Number>, registers> rows{tile, static_cast<const T*>(tile.data) + column};
  if constexpr (requires { reducer.take_rows(states, rows); }) {
    reducer.take_rows(states, rows);
  } else {
    for (int64_t row = 0; row < tile.rows; ++row) {
      if (tile.ahead) rows.fetch(row);
      for (int r = 0; r < registers; ++r) states[r].part[0] = reducer.take(states[r].part[0], rows.at(row, r));
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

// The states of columns from `column` on take their rows.
template <int registers, class T, class R>
void take_strip(const R& reducer, const Tile& tile, int64_t column, typename R::Number* to, int64_t pitch) {
  constexpr int64_t lanes = lanes_of<typename R::Number>;
  StatesOf<R> states[registers];
  for (int r = 0; r < registers; ++r) states[r] = load_states<StatesOf<R>>(to + r * lanes, pitch);
  take_rows<T>(reducer, tile, column, states);
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
    take_strip<registers, T>(reducer, there, 0, last, strip);
  }
  for (int64_t c = 0; c <= end; c += strip) take_strip<registers, T>(reducer, tile, c, states + c, pitch);
  for (int part = 0; rest && part < R::parts; ++part) std::copy_n(last + part * strip, strip, states + part * pitch + end);
}

template <class T, class R>
void take_tile(const R& reducer, const Tile& tile, typename R::Number* states, int64_t pitch) {
  constexpr int64_t lanes = lanes_of<typename R::Number>;
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

template <class R>
StatesOf<R> identity_of(const R& reducer) {
  StatesOf<R> states;
  for (auto& part : states.part) part = std::remove_reference_t<decltype(part)>{} + reducer.identity(static_cast<int>(&part - states.part));
  return states;
}

// Rows that are turned into columns, as many as fill some registers at a time.
template <class T, class R>
void take_short(const R& reducer, const ShortRows& rows, typename R::Number* to, int64_t pitch) {
  constexpr int registers = 2;
  constexpr int64_t lanes = lanes_of<typename R::Number>, together = registers * lanes;
  alignas(64) T columns[longest_turned * together];
  typename R::Number own[R::parts * together];
  const auto element = static_cast<int64_t>(sizeof(T)), apart = rows.apart * element, bytes = rows.size * element;
  const bool far = apart > 128;
  for (int64_t i = 0; i < rows.count; i += together) {
    const int64_t count = std::min(together, rows.count - i);
    const std::byte* data = rows.data + i * apart;
    for (int64_t row = together; far && row < 2 * together; ++row)  // the next ones, which all begin at once
      for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(data + row * apart + byte, 0, 2);
    turn({data, rows.size, rows.step, count, rows.apart, rows.count - i - count + rows.behind}, sizeof(T), reinterpret_cast<std::byte*>(columns),
         together);
    StatesOf<R> states[registers] = {identity_of(reducer), identity_of(reducer)};
    take_rows<T>(reducer, {columns, together, rows.size, together, 0, 0, 1}, 0, states);
    const bool all = count == together;
    for (int r = 0; r < registers; ++r) store_states((all ? to + i : own) + r * lanes, all ? pitch : together, states[r]);
    for (int part = 0; part < R::parts && !all; ++part) std::copy_n(own + part * together, count, to + part * pitch + i);
  }
}

// All lanes' states merged into the first one's.
template <int step, class R>
StatesOf<R> merge_lanes_of(const R& reducer, const StatesOf<R>& states) {
  StatesOf<R> turned;
  for (auto& part : turned.part)
    part = rotate<step>(states.part[&part - turned.part], std::make_integer_sequence<int, lanes_of<typename R::Number>>());
  const StatesOf<R> both = merged(reducer, states, turned, step);
  if constexpr (step > 1)
    return merge_lanes_of<step / 2>(reducer, both);
  else
    return both;
}

// The state of a line, in registers all the way: what goes through memory has the processor wait until the line has arrived.
template <class T, class R>
void take_line(const R& reducer, const T* data, int64_t count, typename R::Number* to, int64_t pitch) {
  using S = StatesOf<R>;
  constexpr int registers = 4;
  constexpr int64_t lanes = lanes_of<typename R::Number>, strip = registers * lanes, in_cache = 64;
  S states[registers], last[1];
  std::fill_n(states, registers, identity_of(reducer));
  int64_t i = 0;
  while (i + strip <= count) {
    const int64_t rows = std::min((count - i) / strip, in_cache);
    take_rows<T>(reducer, {data + i, strip, rows, strip, 0, i, strip}, 0, states);
    i += rows * strip;
  }
  for (; i + lanes <= count; i += lanes) {
    last[0] = states[0];
    take_rows<T>(reducer, {data + i, lanes, 1, 0, 0, i, 0}, 0, last);
    states[0] = last[0];
  }
  if (const int64_t rest = count % lanes) {  // a register that reaches back, or has room
    T few[lanes];
    if (count < lanes) std::copy_n(data, count, few + lanes - count);
    last[0] = states[1];
    take_rows<T>(reducer, {count < lanes ? few : data + count - lanes, lanes, 1, 0, 0, count - 2 * lanes, 0}, 0, last);
    for (auto& part : last[0].part) part = from_lane(lanes - rest, part, states[1].part[&part - last[0].part]);
    states[1] = last[0];
  }
  for (int half = registers / 2; half > 0; half /= 2)
    for (int r = 0; r < half; ++r) states[r] = merged(reducer, states[r], states[r + half], half * lanes);
  const S all = merge_lanes_of<lanes / 2>(reducer, states[0]);
  for (int part = 0; part < R::parts; ++part) to[part * pitch] = all.part[part][0];
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
    R::parts < 3 ? 64 : longest_turned,
    [](const void* reducer, void* states, int64_t pitch, int64_t count) {
      for (int part = 0; part < R::parts; ++part)
        std::fill_n(static_cast<typename R::Number*>(states) + part * pitch, count, static_cast<const R*>(reducer)->identity(part));
    },
    [](const void* reducer, const Tile& tile, void* states, int64_t pitch) {
      take_tile<T>(*static_cast<const R*>(reducer), tile, static_cast<typename R::Number*>(states), pitch);
    },
    [](const void* reducer, const ShortRows& rows, void* states, int64_t pitch) {
      take_short<T>(*static_cast<const R*>(reducer), rows, static_cast<typename R::Number*>(states), pitch);
    },
    [](const void* of, const void* data, int64_t count, void* state, int64_t pitch) {
      const R& reducer = *static_cast<const R*>(of);
      auto* to = static_cast<typename R::Number*>(state);
      if constexpr (requires { reducer.line(static_cast<const T*>(data), count, to, pitch); })
        reducer.line(static_cast<const T*>(data), count, to, pitch);
      else
        take_line(reducer, static_cast<const T*>(data), count, to, pitch);
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
