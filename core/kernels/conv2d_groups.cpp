#include <scry/core/kernels/conv2d_lanes.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <algorithm>

namespace scry::kernels::conv {
namespace {

// `together` groups as one; `merged` has `taps` taps a pair of channels, and so do the tensors below.
struct Merged {
  int64_t together;
  Correlation merged;
  explicit Merged(const Correlation& c) : together(groups_together(c)), merged(c) {
    merged.groups /= together;
    merged.in_channels *= together;
    merged.out_channels *= together;
    for (Axis* axis : {&merged.y, &merged.x}) axis->kernel_first = 0, axis->kernel_step = 1;
  }
  int64_t taps() const { return merged.y.taps * merged.x.taps; }
  // Where the taps of an output channel and its group's first input channel lie in [out_pixel, merged.in_channels, taps].
  int64_t offset(const Correlation& c, int64_t o) const { return (o * merged.in_channels + o / c.out_channels % together * c.in_channels) * taps(); }
};

}  // namespace

int64_t groups_together(const Correlation& c) {
  constexpr int64_t most = 8;  // all but one of as many products are with zeros
  if (std::min(c.in_channels, c.out_channels) > 1 && !nearly_fills_channels(c)) {
    for (int64_t m = std::min({most, c.groups, lanes / c.out_channels}); m > 1; --m)
      if (c.groups % m == 0) return m;
  }
  return 1;
}

bool fits_groups(const Correlation& c) { return groups_together(c) > 1 && 2 * c.out_channels >= lanes; }

void correlate_groups(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const Merged m(c);
  const int64_t taps = m.taps(), inputs = m.merged.in_channels;
  Tensor wide = Tensor::empty({c.out_pixel(), inputs, taps});
  float* to = static_cast<float*>(wide.raw());
  std::fill_n(to, wide.numel(), 0.0f);
  for (int64_t o = 0; o < c.out_pixel(); ++o)
    for (int64_t i = 0; i < c.in_channels; ++i)
      for (int64_t a = 0; a < c.y.taps; ++a)
        for (int64_t b = 0; b < c.x.taps; ++b)
          to[m.offset(c, o) + i * taps + a * c.x.taps + b] =
              weight.data[o / c.out_channels * weight.group + o % c.out_channels * weight.out + i * weight.in + weight.place(c, a, b)];
  const int64_t next = inputs * taps;
  correlate_channels(m.merged, in, {to, m.merged.out_channels * next, next, taps, c.x.taps, 1, weight.kept}, bias, out);
}

void weight_grad_groups(const Correlation& c, const float* in, const float* gradient, float* out) {
  const Merged m(c);
  const int64_t size = c.in_channels * m.taps();
  Tensor wide = Tensor::empty({c.out_pixel(), m.merged.in_channels, m.taps()});
  float* from = static_cast<float*>(wide.raw());
  weight_grad_channels(m.merged, in, gradient, from);
  for (int64_t o = 0; o < c.out_pixel(); ++o) std::copy_n(from + m.offset(c, o), size, out + o * size);
}

}  // namespace scry::kernels::conv
