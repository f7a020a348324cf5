#include <scry/core/kernels/lanes.hpp>
#include <scry/core/kernels/turn.hpp>
#include <algorithm>
#include <utility>

namespace scry::kernels {
namespace {

// The lower or upper halves of two registers, alternating.
template <class V, int... I>
V interleave(const V& a, const V& b, std::integer_sequence<int, I...>, std::integral_constant<int, 0>) {
  return __builtin_shufflevector(a, b, (I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
template <class V, int... I>
V interleave(const V& a, const V& b, std::integer_sequence<int, I...>, std::integral_constant<int, 1>) {
  constexpr int size = sizeof...(I);
  return __builtin_shufflevector(a, b, (size / 2 + I / 2 + I % 2 * size)...);
}

// A square in registers: shuffling the rows of its halves together as often as its side can be halved transposes it.
template <class U, int side>
void turn_square(const U* from, int64_t apart, U* to, int64_t pitch, int64_t rows) {
  using V = Lanes<U, side>;
  constexpr auto places = std::make_integer_sequence<int, side>();
  V square[side], next[side];
  for (int i = 0; i < side; ++i) square[i] = load_lanes<V>(from + i * apart);
  for (int round = side; round > 1; round /= 2) {
    for (int i = 0; i < side / 2; ++i) {
      next[2 * i] = interleave(square[i], square[i + side / 2], places, std::integral_constant<int, 0>());
      next[2 * i + 1] = interleave(square[i], square[i + side / 2], places, std::integral_constant<int, 1>());
    }
    for (int i = 0; i < side; ++i) square[i] = next[i];
  }
  for (int i = 0; i < side; ++i)
    if (i < rows) store_lanes(to + i * pitch, square[i]);
}

template <class U>
void turn_all(const ShortRows& rows, U* to, int64_t pitch) {
  const U* from = reinterpret_cast<const U*>(rows.data);
  int64_t i = 0;
  if constexpr (sizeof(U) > 1) {
    constexpr int64_t side = 32 / sizeof(U), ahead = 1 << 14;
    // Squares reach over the ends of rows, into rows behind them.
    if (rows.step == 1 && rows.apart > 0)
      for (; i + side <= rows.count && i + 2 * side <= rows.count + rows.behind; i += side) {
        const U* at = from + i * rows.apart;
        for (int64_t byte = 0; byte < side * rows.apart * static_cast<int64_t>(sizeof(U)); byte += 64)  // into the second cache, in time
          __builtin_prefetch(reinterpret_cast<const char*>(at) + ahead + byte, 0, 2);
        for (int64_t j = 0; j < rows.size; j += side) turn_square<U, side>(at + j, rows.apart, to + j * pitch + i, pitch, rows.size - j);
      }
  }
  for (; i < rows.count; ++i)
    for (int64_t j = 0; j < rows.size; ++j) to[j * pitch + i] = from[i * rows.apart + j * rows.step];
}

}  // namespace

void turn(const ShortRows& rows, size_t element, std::byte* out, int64_t pitch) {
  switch (element) {
    case 1: return turn_all(rows, reinterpret_cast<uint8_t*>(out), pitch);
    case 4: return turn_all(rows, reinterpret_cast<uint32_t*>(out), pitch);
    default: return turn_all(rows, reinterpret_cast<uint64_t*>(out), pitch);
  }
}

}  // namespace scry::kernels
