#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/kernels/row_norm_pixels.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <cmath>

namespace scry::kernels {
namespace {

// Images of pixels of channels, each cut into pieces of `grain` pixels that the shape alone decides.
struct Images {
  int64_t channels, pixels, images, grain, pieces, of_group;
  explicit Images(const RowNorm& norm, int64_t elements)
      : channels(norm.channels()),
        pixels(norm.span),
        images(elements / (channels * pixels)),
        grain(std::clamp<int64_t>(16384 / channels, 1, pixels)),
        pieces((pixels + grain - 1) / grain),
        of_group(channels / norm.groups) {}

  // body(image, its first element, the first and the end of a piece's, the piece's number) for all pieces.
  template <class F>
  void for_pieces(const F& body) const {
    parallel_for(images * pieces, 1, [&](int64_t unit, int64_t) {
      const int64_t image = unit / pieces, begin = unit % pieces * grain, first = image * pixels * channels;
      body(image, first, first + begin * channels, first + std::min(pixels, begin + grain) * channels, unit);
    });
  }
};

// Two sums for each image and channel: of what term(at, first, a, b) adds to them, `at` being an element's place and `first`
// that of its channel in the image's first pixel.
class ChannelSums {
 public:
  template <class Term>
  ChannelSums(const Images& m, const Term& term) : channels_(m.channels), pieces_(m.pieces), partial_(m.images * m.pieces * 2 * m.channels) {
    m.for_pieces([&](int64_t, int64_t first, int64_t begin, int64_t end, int64_t unit) {
      double *a = partial_.data() + unit * 2 * channels_, *b = a + channels_;
      std::fill_n(a, 2 * channels_, 0.0);
      for (int64_t at = begin; at < end; at += channels_)
        for (int64_t c = 0; c < channels_; ++c) term(at + c, first + c, a[c], b[c]);
    });
    parallel_for(m.images, grain_for(m.pieces * 2 * channels_ * static_cast<int64_t>(sizeof(double))), [&](int64_t begin, int64_t end) {
      for (int64_t image = begin; image < end; ++image)
        for (int64_t piece = 1; piece < pieces_; ++piece)
          for (int64_t k = 0; k < 2 * channels_; ++k) of(image)[k] += of(image)[piece * 2 * channels_ + k];
    });
  }
  double first(int64_t image, int64_t c) const { return of(image)[c]; }
  double second(int64_t image, int64_t c) const { return of(image)[channels_ + c]; }

 private:
  double* of(int64_t image) const { return partial_.data() + image * pieces_ * 2 * channels_; }
  int64_t channels_, pieces_;
  memory::Scratch<double> partial_;
};

// Numbers of each image and channel that a pass over the pixels reads.
template <class T, int count>
struct Factors {
  int64_t channels;
  memory::Scratch<T> all;
  explicit Factors(const Images& m) : channels(m.channels), all(m.images * count * m.channels) {}
  T* of(int64_t image, int64_t which) const { return all.data() + (image * count + which) * channels; }
};

template <class T>
double element(const Tensor& parameter, int64_t c, double without) {
  return parameter.defined() ? static_cast<double>(static_cast<const T*>(parameter.raw())[c]) : without;
}

double* doubles(const Tensor& x) { return static_cast<double*>(x.raw()); }

// A mean in two parts: rounded to T alone it would be off by much where it is far from zero.
template <class T>
void split(double mean, T& most, T& rest) {
  most = static_cast<T>(mean);
  rest = static_cast<T>(mean - static_cast<double>(most));
}

}  // namespace

RowNormResult pixel_norm(const Tensor& x, const Tensor& given_weight, const Tensor& given_bias, const RowNorm& norm) {
  const Images m(norm, x.numel());
  const Tensor weight = given_weight.defined() ? contiguous(given_weight) : given_weight,
               bias = given_bias.defined() ? contiguous(given_bias) : given_bias;
  const int64_t rows = m.images * norm.groups;
  const RowNormResult out{empty_channels_last(x.shape(), x.dtype()), Tensor::empty({rows}, f64), Tensor::empty({rows}, f64)};
  dispatch_floating("row_norm", x.dtype(), [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(out.y.raw());
    // Differences from the image's first pixel: far from zero, sums of plain squares would cancel.
    const ChannelSums sums(m, [=](int64_t at, int64_t first, double& sum, double& squares) {
      const double d = static_cast<double>(from[at]) - static_cast<double>(from[first]);
      sum += d;
      squares += d * d;
    });
    const Factors<T, 4> factors(m);
    const auto pixels = static_cast<double>(m.pixels);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t image = row / norm.groups, begin = row % norm.groups * m.of_group, end = begin + m.of_group;
      const auto mean_of = [&](int64_t c) { return static_cast<double>(from[image * m.pixels * m.channels + c]) + sums.first(image, c) / pixels; };
      double mean = 0, squares = 0;
      for (int64_t c = begin; c < end; ++c) mean += mean_of(c) / static_cast<double>(m.of_group);
      for (int64_t c = begin; c < end; ++c) {
        const double d = mean_of(c) - mean, sum = sums.first(image, c);
        squares += std::max(0.0, sums.second(image, c) - sum * sum / pixels) + pixels * d * d;
      }
      doubles(out.mean)[row] = mean;
      doubles(out.inverse)[row] = 1 / std::sqrt(squares / static_cast<double>(norm.length) + norm.eps);
      for (int64_t c = begin; c < end; ++c) {
        split(mean, factors.of(image, 0)[c], factors.of(image, 1)[c]);
        factors.of(image, 2)[c] = static_cast<T>(doubles(out.inverse)[row] * element<T>(weight, c, 1));
        factors.of(image, 3)[c] = static_cast<T>(element<T>(bias, c, 0));
      }
    }
    m.for_pieces([&](int64_t image, int64_t, int64_t begin, int64_t end, int64_t) {
      const T *mean = factors.of(image, 0), *rest = factors.of(image, 1), *scale = factors.of(image, 2), *shift = factors.of(image, 3);
      for (int64_t at = begin; at < end; at += m.channels)
        for (int64_t c = 0; c < m.channels; ++c) to[at + c] = ((from[at + c] - mean[c]) - rest[c]) * scale[c] + shift[c];
    });
  });
  return out;
}

RowNormGradients pixel_norm_gradients(const Tensor& gradient, const Tensor& x, const Tensor& given_weight, const Tensor& mean, const Tensor& inverse,
                                      const RowNorm& norm) {
  const Images m(norm, x.numel());
  const Tensor g = channels_last(gradient), weight = given_weight.defined() ? contiguous(given_weight) : given_weight;
  const RowNormGradients out{empty_channels_last(x.shape(), x.dtype()), Tensor::empty({m.channels}, x.dtype()),
                             Tensor::empty({m.channels}, x.dtype())};
  dispatch_floating("row_norm", x.dtype(), [&]<class T>() {
    const T *from = static_cast<const T*>(x.raw()), *gs = static_cast<const T*>(g.raw());
    T* to = static_cast<T*>(out.input.raw());
    const ChannelSums sums(m, [=](int64_t at, int64_t first, double& sum, double& product) {
      const auto d = static_cast<double>(gs[at]);
      sum += d;
      product += d * (static_cast<double>(from[at]) - static_cast<double>(from[first]));
    });
    // dx = (w g - mean(w g) - x̂ mean(w g x̂)) / s with x̂ = (x - mean) / s: linear in g and x - mean for each channel.
    const Factors<T, 5> factors(m);
    const memory::Scratch<double> totals(2 * m.channels);
    std::fill_n(totals.data(), 2 * m.channels, 0.0);
    for (int64_t row = 0; row < m.images * norm.groups; ++row) {
      const int64_t image = row / norm.groups, begin = row % norm.groups * m.of_group, end = begin + m.of_group;
      const double center = doubles(mean)[row], factor = doubles(inverse)[row], count = static_cast<double>(norm.length);
      double of_g = 0, of_product = 0;
      for (int64_t c = begin; c < end; ++c) {
        const double from_center = static_cast<double>(from[image * m.pixels * m.channels + c]) - center;
        const double product = (sums.second(image, c) + from_center * sums.first(image, c)) * factor, w = element<T>(weight, c, 1);
        of_g += w * sums.first(image, c);
        of_product += w * product;
        totals[c] += product;
        totals[m.channels + c] += sums.first(image, c);
      }
      for (int64_t c = begin; c < end; ++c) {
        split(center, factors.of(image, 0)[c], factors.of(image, 1)[c]);
        factors.of(image, 2)[c] = static_cast<T>(factor * element<T>(weight, c, 1));
        factors.of(image, 3)[c] = static_cast<T>(factor * factor * of_product / count);
        factors.of(image, 4)[c] = static_cast<T>(factor * of_g / count);
      }
    }
    for (int64_t c = 0; c < m.channels; ++c) {
      static_cast<T*>(out.weight.raw())[c] = static_cast<T>(totals[c]);
      static_cast<T*>(out.bias.raw())[c] = static_cast<T>(totals[m.channels + c]);
    }
    m.for_pieces([&](int64_t image, int64_t, int64_t begin, int64_t end, int64_t) {
      const T *most = factors.of(image, 0), *rest = factors.of(image, 1), *by_g = factors.of(image, 2), *slope = factors.of(image, 3),
              *shift = factors.of(image, 4);
      for (int64_t at = begin; at < end; at += m.channels)
        for (int64_t c = 0; c < m.channels; ++c) to[at + c] = gs[at + c] * by_g[c] - ((from[at + c] - most[c]) - rest[c]) * slope[c] - shift[c];
    });
  });
  return out;
}

}  // namespace scry::kernels
