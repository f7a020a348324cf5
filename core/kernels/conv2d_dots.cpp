#include <scry/core/kernels/conv2d_channels.hpp>
#include <scry/core/kernels/some.hpp>
#include <array>
#include <utility>

namespace scry::kernels::conv {
namespace {

constexpr int64_t most_outputs = 4;
constexpr int together = 4;  // neighbouring pixels, which share the weights

// `outputs` dot products for each of `pixels` neighbouring pixels, a register of terms at a time; `weight_row` leads from one output's weights to the
// next one's.
template <int pixels, int outputs>
void dots(const PixelSource& s, int64_t weight_row, float* out, int64_t out_pixel) {
  Lanes sum[pixels][outputs];
  for (int p = 0; p < pixels; ++p)
    for (int o = 0; o < outputs; ++o) sum[p][o] = Lanes(0.0f);
  const int64_t whole = s.segments.length / lanes * lanes;
  const Some<float> rest(s.segments.length - whole);
  const float* w = s.weights;
  const auto add = [&](const float* x, const auto& load) {
    Lanes weight[outputs];
    for (int o = 0; o < outputs; ++o) weight[o] = load(w + o * weight_row);
    for (int p = 0; p < pixels; ++p) {
      const Lanes value = load(x + p * s.pixel);
      for (int o = 0; o < outputs; ++o) sum[p][o] = xsimd::fma(value, weight[o], sum[p][o]);
    }
  };
  for (int64_t a = 0; a < s.rows; ++a)
    for (int64_t b = 0; b < s.segments.count; ++b) {
      const float* x = s.x + a * s.row + b * s.segments.stride;
      for (int64_t k = 0; k < whole; k += lanes, w += lanes) add(x + k, [](const float* from) { return Lanes::load_unaligned(from); });
      if (whole == s.segments.length) continue;
      add(x + whole, [&](const float* from) { return rest.load(from); });
      w += s.segments.length - whole;
    }
  for (int p = 0; p < pixels; ++p)
    for (int o = 0; o < outputs; ++o) out[p * out_pixel + o] = (s.bias ? s.bias[o] : 0) + xsimd::hadd(sum[p][o]);
}

template <int pixels>
constexpr auto kernels_of = []<size_t... o>(std::index_sequence<o...>) {
  return std::array{&dots<pixels, static_cast<int>(o) + 1>...};
}
(std::make_index_sequence<static_cast<size_t>(most_outputs)>());

}  // namespace

bool fits_dots(const Correlation& c) { return c.groups == 1 && c.out_channels <= most_outputs && Segments(c).length >= lanes; }

void correlate_dots(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out) {
  const Tensor packed = weight.packed(PackedWeights::dots, [&] { return pack(c, weight, Cuts(c.out_channels, 1)); });
  const float* weights = static_cast<const float*>(packed.raw());
  const int64_t out_pixel = c.x.every * c.out_pixel();
  const auto outputs = static_cast<size_t>(c.out_channels - 1);
  for_bands(c, in, [&](int64_t image, int64_t begin, int64_t end, const PaddedRows& rows, PixelSource source) {
    source.bias = bias;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t top = c.y.first_tap(i), bottom = std::max(top, c.y.end_tap(i));
      source.rows = bottom - top;
      source.weights = weights + top * c.x.taps * c.in_channels;
      for (int64_t j = 0; j < c.x.grid;) {
        const bool several = j + together <= c.x.grid;
        source.x = source.rows ? rows.at(i, top) + j * source.pixel : nullptr;
        (several ? kernels_of<together> : kernels_of<1>)[outputs](source, c.terms(), out + c.output_offset(image, i, j), out_pixel);
        j += several ? together : 1;
      }
    }
  });
}

}  // namespace scry::kernels::conv
