#include <scry/core/kernels/square.hpp>
#include <scry/core/kernels/transpose.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <array>

namespace scry::kernels {
namespace {

// The axes of a copy, merged where both sides step alike.
struct Axis {
  int64_t size, out, in;
};
struct Order {
  int rank = 0;
  std::array<Axis, Shape::max_rank> axes{};

  Order(const Tensor& out, const Tensor& x) {
    for (int i = 0; i < x.rank(); ++i) {
      const Axis next{x.shape()[i], out.strides()[i], x.strides()[i]};
      if (next.size == 1) continue;
      Axis* last = rank ? &axes[static_cast<size_t>(rank - 1)] : nullptr;
      if (last && last->out == next.out * next.size && last->in == next.in * next.size)
        *last = {last->size * next.size, next.out, next.in};
      else
        axes[static_cast<size_t>(rank++)] = next;
    }
  }
  // Takes the first axis with a stride of 1 out of the list.
  Axis take(int64_t Axis::*stride) {
    const auto end = axes.begin() + rank, at = std::find_if(axes.begin(), end, [&](const Axis&a) { return a.*stride == 1; });
    if (at == end) return {0, 0, 0};
    const Axis found = *at;
    std::move(at + 1, end, at);
    --rank;
    return found;
  }
};

template <class T>
void copy_planes(Order order, const Axis& row, const Axis& column, const T* in, T* out) {
  constexpr int64_t strip = 64;  // columns that a thread takes at a time: whole lines of memory on both sides
  const int64_t strips = (column.size + strip - 1) / strip;
  int64_t planes = 1;
  for (int i = 0; i < order.rank; ++i) planes *= order.axes[static_cast<size_t>(i)].size;
  parallel_for(planes * strips, grain_for(row.size * std::min(strip, column.size) * static_cast<int64_t>(sizeof(T))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t unit = begin; unit < end; ++unit) {
                   const int64_t first = unit % strips * strip;
                   int64_t from = first, to = first * column.out, plane = unit / strips;
                   for (auto i = static_cast<size_t>(order.rank); i-- > 0; plane /= order.axes[i].size) {
                     from += plane % order.axes[i].size * order.axes[i].in;
                     to += plane % order.axes[i].size * order.axes[i].out;
                   }
                   transpose(in + from, row.in, row.size, std::min(strip, column.size - first), out + to, column.out);
                 }
               });
}

}  // namespace

template <class T>
void transpose(const T* in, int64_t in_stride, int64_t rows, int64_t columns, T* out, int64_t out_stride) {
  int64_t n = 16;  // the side of the squares
  if constexpr (sizeof(T) > 1) n = static_cast<int64_t>(Register<T>::size);
  const bool squares = sizeof(T) > 1 && std::min(rows, columns) >= n;
  // The last squares overlap those before.
  for (int64_t i = 0; i < rows; i += n)
    for (int64_t j = 0; j < columns; j += n) {
      const int64_t row = squares ? std::min(i, rows - n) : i, column = squares ? std::min(j, columns - n) : j;
      const T* from = in + row * in_stride + column;
      T* to = out + column * out_stride + row;
      if constexpr (sizeof(T) > 1)
        if (squares) {
          Square<T>::transpose(from, in_stride, n, n, to, out_stride);
          continue;
        }
      for (int64_t l = 0; l < std::min(n, columns - column); ++l)
        for (int64_t k = 0; k < std::min(n, rows - row); ++k) to[l * out_stride + k] = from[k * in_stride + l];
    }
}

template void transpose(const float*, int64_t, int64_t, int64_t, float*, int64_t);
template void transpose(const uint8_t*, int64_t, int64_t, int64_t, uint8_t*, int64_t);
template void transpose(const double*, int64_t, int64_t, int64_t, double*, int64_t);

bool copy_transposed(const Tensor& out, const Tensor& x) {
  if (out.dtype() != x.dtype() || out.shape() != x.shape() || x.numel() == 0) return false;
  Order order(out, x);
  const Axis column = order.take(&Axis::in), row = order.take(&Axis::out);
  if (column.size == 0 || row.size == 0 || column.out == 1) return false;
  const auto copy = [&]<class T>() { copy_planes(order, row, column, static_cast<const T*>(x.raw()), static_cast<T*>(out.raw())); };
  const size_t size = size_of(x.dtype());  // numbers of that size are moved, whatever they are
  size == 1 ? copy.operator()<uint8_t>() : size == 4 ? copy.operator()<float>() : copy.operator()<double>();
  return true;
}

}  // namespace scry::kernels
