#pragma once

// What the kernels with registers over output channels share: how they see the rows of an image.

#include <scry/core/kernels/conv2d_lanes.hpp>
#include <scry/core/kernels/conv2d_plan.hpp>
#include <algorithm>
#include <limits>

namespace scry::kernels::conv {

/// The work of these kernels comes in units of an image's grid rows [begin, end), at most `rows` of them. Small batches are cut finer.
struct Bands {
  int64_t height, per_image, count;
  explicit Bands(const Correlation& c, int64_t rows = std::numeric_limits<int64_t>::max()) {
    constexpr int64_t wanted = 16;
    const int64_t cuts = std::clamp<int64_t>((wanted + c.images - 1) / std::max<int64_t>(c.images, 1), 1, std::max<int64_t>(c.y.grid, 1));
    height = std::min((c.y.grid + cuts - 1) / cuts, rows);
    per_image = (c.y.grid + height - 1) / height;
    count = c.images * per_image;
  }
};

/// A band's input rows, copied with zeros beside them where windows reach past the image's sides. Rows above and below are skipped instead.
class PaddedRows {
 public:
  explicit PaddedRows(const Correlation& c) : c_(c), pads_(c.x.needs_padding()), width_(pads_ ? c.x.reach() : c.x.in) {}
  int64_t buffer_size(const Bands& bands) const {
    return pads_ ? std::min(c_.y.in, (bands.height - 1) * c_.y.step + (c_.y.taps - 1) * c_.y.spacing + 1) * row_size() : 0;
  }
  int64_t row_size() const { return width_ * c_.in_pixel(); }

  /// Makes the rows that grid rows [begin, end) of an image gather from available.
  void load(const float* in, int64_t image, int64_t begin, int64_t end, float* buffer) {
    first_ = std::clamp<int64_t>(c_.y.position(begin), 0, c_.y.in);
    const int64_t last = std::clamp<int64_t>(c_.y.position(end - 1) + (c_.y.taps - 1) * c_.y.spacing + 1, first_, c_.y.in);
    rows_ = pads_ ? buffer : c_.input_row(in, image, first_);
    if (!pads_) return;
    const int64_t start = c_.x.start, pixel = c_.in_pixel();
    const int64_t from = std::clamp<int64_t>(start, 0, c_.x.in), to = std::clamp<int64_t>(start + width_, from, c_.x.in);
    const int64_t left = std::min(width_, from - start);
    for (int64_t row = first_; row < last; ++row, buffer += row_size()) {
      std::fill_n(buffer, left * pixel, 0.0f);
      std::copy_n(c_.input_row(in, image, row) + from * pixel, (to - from) * pixel, buffer + left * pixel);
      std::fill_n(buffer + (left + to - from) * pixel, (width_ - left - to + from) * pixel, 0.0f);
    }
  }
  /// Where tap (a, 0) of grid point (i, 0) lies; that row must be on the image.
  const float* at(int64_t i, int64_t a) const {
    return rows_ + (c_.y.position(i) + a * c_.y.spacing - first_) * row_size() + (pads_ ? 0 : c_.x.start * c_.in_pixel());
  }

 private:
  const Correlation& c_;
  bool pads_;
  int64_t width_, first_ = 0;
  const float* rows_ = nullptr;
};

/// A row of taps as segments of numbers that lie side by side: one where whole pixels do, else one a tap.
struct Segments {
  int64_t count, length, stride;
  /// One segment of `n` numbers.
  explicit Segments(int64_t n) : count(1), length(n), stride(0) {}
  explicit Segments(const Correlation& c)
      : count(c.x.spacing == 1 && c.groups == 1 ? 1 : c.x.taps),
        length(count == 1 ? c.x.taps * c.in_channels : c.in_channels),
        stride(c.x.spacing * c.in_pixel()) {}
};

/// The output channels of each group in blocks of `widest`; the last may be narrower and end in a register that is partly used.
struct ChannelBlocks {
  int64_t channels, widest, count, padded;  // padded: channels in whole registers
  explicit ChannelBlocks(int64_t n, int64_t most = 2 * lanes)
      : channels(n), widest(most), count((n + most - 1) / most), padded((n + lanes - 1) / lanes * lanes) {}
  int64_t begin(int64_t block) const { return block * widest; }
  int64_t width(int64_t block) const { return std::min(widest, padded - begin(block)); }
  int64_t vectors(int64_t block) const { return width(block) / lanes; }
  /// The channels in its last register.
  int64_t last(int64_t block) const { return std::min(lanes, channels - begin(block) - width(block) + lanes); }
};

/// What a row of output pixels is computed from: `rows` rows of taps, each of some segments, and weights [rows, segments, length, vectors * lanes].
struct PixelSource {
  const float* x;
  int64_t pixel, rows, row;  // strides from pixel to pixel and from row to row of taps
  Segments segments;
  const float* weights;
  const float* bias;
  bool adds = false;     // the sum to what is there
  int64_t last = lanes;  // channels in the last register
};
/// Calls body(image, begin, end, rows, source) for bands [begin, end) of grid rows, in parallel, with the input rows that they gather from;
/// `source` lacks what its pixels, weights and bias are.
void for_bands(const Correlation& c, const float* in, FunctionRef<void(int64_t, int64_t, int64_t, const PaddedRows&, PixelSource)> body);

/// `vectors` (1 or 2) registers of channels of neighbouring pixels, each a product of its numbers and the weights, plus the bias if there is one.
void compute_pixels(const PixelSource& s, int64_t vectors, int64_t pixels, float* out, int64_t out_pixel);

/// What terms of a weight gradient sum over: `rows` grid rows of `pixels` pixels.
struct TermSource {
  const float *x, *gradient;
  int64_t rows, x_row, gradient_row, pixels, x_pixel, gradient_pixel;
  int64_t last = lanes;  // channels in the last register of gradients
};
/// Adds the products of `length` neighbouring numbers of x and `vectors` (1 or 2) registers of gradients to sums [length, vectors * lanes].
void add_terms(const TermSource& s, int64_t vectors, int64_t length, float* sums);

/// Calls body(i) for i < n. Where there are many of them they go to the threads; else each is left to share its own loops out.
void for_blocks(int64_t n, FunctionRef<void(int64_t)> body);

/// Sums [groups, blocks][taps, in_channels, channels of the block] of a weight gradient as [out_pixel, in_channels, taps].
void unpack_weight_grad(const Correlation& c, const float* sums, const ChannelBlocks& blocks, float* out);

}  // namespace scry::kernels::conv
