#include <scry/core/kernels/conv2d_plan.hpp>
#include <scry/core/kernels/turn.hpp>

namespace scry::kernels::conv {

template <class T>
Tensor pack(const Correlation& c, const Weight<T>& weight, const Cuts& cuts) {
  Tensor packed = Tensor::empty({c.groups * c.out_channels * c.terms()}, dtype_of<T>());
  T* all = static_cast<T*>(packed.raw());
  parallel_for(c.groups * cuts.count, grain_for(c.terms() * cuts.length(0) * static_cast<int64_t>(sizeof(T))), [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t group = unit / cuts.count, cut = unit % cuts.count, begin = cuts.begin(cut), end = cuts.begin(cut + 1);
      const T* of_group = weight.data + group * weight.group;
      T* to = all + (group * c.out_channels + begin) * c.terms();
      for (int64_t a = 0; a < c.y.taps; ++a)
        for (int64_t b = 0; b < c.x.taps; ++b) {
          const T* from = of_group + weight.place(c, a, b);
          for (int64_t i = 0; i < c.in_channels; ++i)
            for (int64_t o = begin; o < end; ++o) *to++ = from[i * weight.in + o * weight.out];
        }
    }
  });
  return packed;
}

void turn_weights(const Correlation& c, const Weight<float>& weight, int64_t group, int64_t first, int64_t width, int64_t begin, int64_t end,
                  float* to) {
  const int64_t kernel = weight.kernel(), channels = std::min(width, c.out_channels - first);
  if (channels < width) std::fill_n(to, (end - begin) * kernel * width, 0.0f);
  const int64_t together = weight.in == kernel ? end - begin : 1, size = together * kernel;
  for (int64_t i = begin; i < end; i += together, to += size * width) {
    const float* from = weight.data + group * weight.group + first * weight.out + i * weight.in;
    if (weight.out == 1) {  // a kernel of one element, and nothing to turn
      std::copy_n(from, channels, to);
      continue;
    }
    turn({reinterpret_cast<const std::byte*>(from), size, 1, channels, weight.out, c.out_channels - first - channels}, sizeof(float),
         reinterpret_cast<std::byte*>(to), width);
  }
}

template <class T>
void add_pieces(T* sums, int64_t pieces, int64_t size) {
  if (pieces == 1) return;
  parallel_for(size, grain_for(pieces * static_cast<int64_t>(sizeof(T))), [&](int64_t begin, int64_t end) {
    for (int64_t piece = 1; piece < pieces; ++piece)
      for (int64_t i = begin; i < end; ++i) sums[i] += sums[piece * size + i];
  });
}

template Tensor pack(const Correlation&, const Weight<float>&, const Cuts&);
template Tensor pack(const Correlation&, const Weight<double>&, const Cuts&);
template void add_pieces(float*, int64_t, int64_t);
template void add_pieces(double*, int64_t, int64_t);

}  // namespace scry::kernels::conv
