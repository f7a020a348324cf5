#include <scry/core/kernels/lanes.hpp>
#include <scry/core/kernels/turn.hpp>
#include <algorithm>
#include <utility>

namespace scry::kernels {
namespace {

constexpr int64_t quarter = 16;  // bytes that registers move within without delay

// The lower (or, `upper`, the higher) elements of each quarter of two registers, alternating.
template <bool upper, class V, int... I>
V interleave(const V& a, const V& b, std::integer_sequence<int, I...>) {
  constexpr int size = sizeof...(I), side = quarter / sizeof(a[0]);
  return __builtin_shufflevector(a, b, (I / side * side + I % side / 2 + I % 2 * size + (upper ? side / 2 : 0))...);
}

template <class Half, int... I>
auto join(const Half& a, const Half& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, I...);
}

// Two squares in registers, which hold rows of both: shuffling the rows of their halves together as often as their side can be halved transposes
// them.
template <class U>
void turn_squares(const U* from, int64_t apart, U* to, int64_t pitch, int64_t columns) {
  constexpr int side = quarter / sizeof(U);
  constexpr auto places = std::make_integer_sequence<int, 2 * side>();
  using Half = Lanes<U, side>;
  Lanes<U, 2 * side> square[side], next[side];
  for (int i = 0; i < side; ++i) square[i] = join(load_lanes<Half>(from + i * apart), load_lanes<Half>(from + (i + side) * apart), places);
  for (int round = side; round > 1; round /= 2) {
    for (int i = 0; i < side / 2; ++i) {
      next[2 * i] = interleave<false>(square[i], square[i + side / 2], places);
      next[2 * i + 1] = interleave<true>(square[i], square[i + side / 2], places);
    }
    for (int i = 0; i < side; ++i) square[i] = next[i];
  }
  for (int i = 0; i < side; ++i)
    if (i < columns) store_lanes(to + i * pitch, square[i]);
}

template <class U>
void turn_all(Lines rows, U* to, int64_t pitch) {  // a copy, which nothing that is stored can be part of
  const U* from = reinterpret_cast<const U*>(rows.data);
  int64_t i = 0;
  if constexpr (sizeof(U) > 1) {
    constexpr int64_t side = quarter / sizeof(U);
    const int64_t over = rows.size % side ? side : 0;  // squares reach over the ends of rows, into rows behind them
    if (rows.step == 1 && rows.apart > 0)
      for (; i + 2 * side <= rows.count && i + 2 * side + over <= rows.count + rows.behind; i += 2 * side) {
        const U* at = from + i * rows.apart;
        int64_t j = 0;
        for (; j + side <= rows.size; j += side) turn_squares(at + j, rows.apart, to + j * pitch + i, pitch, side);
        if (over) turn_squares(at + j, rows.apart, to + j * pitch + i, pitch, rows.size - j);
      }
  }
  for (; i < rows.count; ++i)
    for (int64_t j = 0; j < rows.size; ++j) to[j * pitch + i] = from[i * rows.apart + j * rows.step];
}

}  // namespace

void turn(const Lines& rows, size_t element, std::byte* out, int64_t pitch) {
  switch (element) {
    case 1: return turn_all(rows, reinterpret_cast<uint8_t*>(out), pitch);
    case 4: return turn_all(rows, reinterpret_cast<uint32_t*>(out), pitch);
    default: return turn_all(rows, reinterpret_cast<uint64_t*>(out), pitch);
  }
}

}  // namespace scry::kernels
