#include <scry/core/kernels/panel.hpp>
#include <utility>

namespace scry::kernels::detail {

// `rows` rows by N registers of a product, all in registers: every register of b that is loaded serves all rows. Loops are unrolled early on, or the
// compiler keeps the sums in memory for a while.
template <class T, int rows, int N, bool partial>
void tile(const TileProduct<T>& t) {
  using V = Register<T>;
  constexpr auto width = static_cast<int64_t>(V::size);
  const Some<T> last(t.last);
  const auto load = [&last](const T* from, int n) {
    return partial && n == N - 1 ? last.load(from + n * width) : V::load_unaligned(from + n * width);
  };
  V sum[rows][N];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sum[r][n] = V(T{0});
  if (t.start)
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sum[r][n] = load(t.start + r * t.start_row, n);
  constexpr int together = 3;  // rows that one pointer serves
  const T* a[(rows + together - 1) / together];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r += together) a[r / together] = t.a.data + r * t.a.row;
  const T* b = t.b;
  const int64_t row = t.a.row, step = t.a.step, b_row = t.b_row;
  for (int64_t k = t.depth; k > 0; --k, b += b_row) {
    V column[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) column[n] = load(b, n);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const V value(a[r / together][r % together * row]);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sum[r][n] = xsimd::fma(value, column[n], sum[r][n]);
    }
#pragma GCC unroll 16
    for (const T*& pointer : a) pointer += step;
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) {
      T* to = t.out + r * t.out_row + n * width;
      if (partial && n == N - 1)
        last.store(sum[r][n], to);
      else
        sum[r][n].store_unaligned(to);
    }
}

template <class T, int N, bool partial>
constinit const std::array<void (*)(const TileProduct<T>&), most_rows<T, N>> Tiles<T, N, partial>::by_rows = [
]<size_t... i>(std::index_sequence<i...>) {
  return std::array{&tile<T, static_cast<int>(i) + 1, N, partial>...};
}
(std::make_index_sequence<most_rows<T, N>>());

template struct Tiles<float, 1, false>;
template struct Tiles<float, 2, false>;
template struct Tiles<float, 3, false>;
template struct Tiles<float, 4, false>;
template struct Tiles<float, 1, true>;
template struct Tiles<float, 2, true>;
template struct Tiles<double, 1, false>;
template struct Tiles<double, 2, false>;
template struct Tiles<double, 3, false>;
template struct Tiles<double, 4, false>;
template struct Tiles<double, 1, true>;
template struct Tiles<double, 2, true>;

}  // namespace scry::kernels::detail
