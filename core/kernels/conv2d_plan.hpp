#pragma once

// What the convolution kernels have in common. A convolution and its gradient in the input are the same sum, a Correlation: every point of a
// grid on the output gathers taps at fixed distances on an input. A stride of s splits the input gradient into s by s such grids.

#include <scry/core/kernels/conv2d_packed.hpp>
#include <scry/core/kernels/conv2d_window.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

namespace scry::kernels::conv {

/// One axis of a correlation: output position `first + i * every` gathers inputs `start + i * step + k * spacing` for taps k < taps; those
/// outside the input count as zero. Tap k belongs to row (or column) `kernel_first + k * kernel_step` of the kernel.
struct Axis {
  int64_t in = 0, out = 0;
  int64_t first = 0, every = 1, grid = 0;
  int64_t start = 0, step = 1, spacing = 1, taps = 0;
  int64_t kernel_first = 0, kernel_step = 1;

  int64_t position(int64_t i) const { return start + i * step; }
  /// The taps of grid point i that lie on the input: [first_tap, end_tap).
  int64_t first_tap(int64_t i) const {
    const int64_t at = position(i);
    return at >= 0 ? 0 : std::min(taps, (-at + spacing - 1) / spacing);
  }
  int64_t end_tap(int64_t i) const {
    const int64_t room = in - position(i);
    return room <= 0 ? 0 : std::min(taps, (room - 1) / spacing + 1);
  }
  /// The inputs from the first one that is gathered to the last.
  int64_t reach() const { return (grid - 1) * step + (taps - 1) * spacing + 1; }
  bool needs_padding() const { return grid > 0 && (start < 0 || start + reach() > in); }
  /// The grid points all of whose taps lie on the input: [first, second).
  std::pair<int64_t, int64_t> inner_points() const {
    int64_t begin = 0, end = grid;
    while (begin < end && first_tap(begin) > 0) ++begin;
    while (end > begin && end_tap(end - 1) < taps) --end;
    return {begin, end};
  }
};

/// Channels-last images of groups * in_channels to those of groups * out_channels.
struct Correlation {
  int64_t images = 0, groups = 1, in_channels = 0, out_channels = 0;
  Axis y, x;
  bool adds = false;  // to what is in the result; correlate_winograd and correlate_channels can

  int64_t points() const { return images * y.grid * x.grid; }
  int64_t terms() const { return y.taps * x.taps * in_channels; }
  int64_t in_pixel() const { return groups * in_channels; }
  int64_t out_pixel() const { return groups * out_channels; }
  const auto* input_row(const auto* in, int64_t image, int64_t row) const { return in + (image * y.in + row) * x.in * in_pixel(); }
  int64_t output_offset(int64_t image, int64_t i, int64_t j) const {
    return ((image * y.out + y.first + i * y.every) * x.out + x.first + j * x.every) * out_pixel();
  }
};

/// A row-major weight, seen from a correlation: the input gradient swaps the roles of its two channel axes.
template <class T>
struct Weight {
  const T* data;
  int64_t group, out, in, row, column;  // strides
  PackedWeights* kept = nullptr;

  /// The elements of a pair of channels, which lie side by side.
  int64_t kernel() const { return std::min(in, out); }
  /// Where tap (a, b) of a correlation is among them.
  int64_t place(const Correlation& c, int64_t a, int64_t b) const {
    return (c.y.kernel_first + a * c.y.kernel_step) * row + (c.x.kernel_first + b * c.x.kernel_step) * column;
  }

  /// make(), or what it made before.
  template <class Make>
  Tensor packed(PackedWeights::Form form, const Make& make) const {
    return kept ? kept->get(form, make) : make();
  }
};

/// An axis of the convolution itself.
inline Axis forward_axis(const Window2d& window, size_t i, int64_t in, int64_t out) {
  Axis axis;
  axis.in = in;
  axis.out = axis.grid = out;
  axis.start = -window.padding_before[i];
  axis.step = window.stride[i];
  axis.spacing = window.dilation[i];
  axis.taps = window.kernel[i];
  return axis;
}

/// An axis of the gradient in an input `out` long, for its positions phase + i * stride. A position q gets gradient from output (q + padding -
/// k * dilation) / stride for those k where that is whole: every (stride / gcd)-th one, taken from the last, so that the taps ascend.
inline Axis gradient_axis(const Window2d& window, size_t i, int64_t in, int64_t out, int64_t phase) {
  const int64_t stride = window.stride[i], dilation = window.dilation[i], padding = window.padding_before[i], kernel = window.kernel[i];
  Axis axis;
  axis.in = in;
  axis.out = out;
  axis.first = phase;
  axis.every = stride;
  axis.grid = phase < out ? (out - phase - 1) / stride + 1 : 0;
  const int64_t between = stride / std::gcd(stride, dilation);
  axis.kernel_step = -between;
  axis.spacing = between * dilation / stride;
  for (int64_t k = kernel - 1; k >= 0 && k >= kernel - between; --k) {
    if ((phase + padding - k * dilation) % stride != 0) continue;
    axis.kernel_first = k;
    axis.taps = k / between + 1;
    axis.start = (phase + padding - k * dilation) / stride;
    break;
  }
  return axis;
}

/// Small tables from the pool, so that a step in its steady state asks the system for nothing.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(memory::allocate(n * sizeof(T))); }
  void deallocate(T* block, size_t n) noexcept { memory::deallocate(block, n * sizeof(T)); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};
template <class T>
using Table = std::vector<T, PoolAllocator<T>>;

/// Buffers for the workers of one parallel_for, taken before it since nothing may throw inside.
class Scratch {
 public:
  Scratch(int64_t bytes_each, int64_t pieces) : bytes_(static_cast<size_t>(std::max<int64_t>(bytes_each, 1))) {
    const int64_t count = std::min<int64_t>(pieces, in_parallel() ? 1 : thread_count());
    free_.reserve(static_cast<size_t>(count));
    try {
      for (int64_t i = 0; i < count; ++i) free_.push_back(memory::allocate(bytes_));
    } catch (...) {
      release();
      throw;
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { release(); }

  /// A buffer that belongs to a worker while it lives.
  class Lease {
   public:
    explicit Lease(Scratch& from) : from_(from) {
      const std::lock_guard lock(from_.mutex_);
      block_ = from_.free_.back();
      from_.free_.pop_back();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      const std::lock_guard lock(from_.mutex_);
      from_.free_.push_back(block_);
    }
    template <class T>
    T* as() const {
      return static_cast<T*>(block_);
    }

   private:
    Scratch& from_;
    void* block_;
  };

 private:
  void release() noexcept {
    for (void* block : free_) memory::deallocate(block, bytes_);
  }

  size_t bytes_;
  std::mutex mutex_;
  Table<void*> free_;
};

/// A range cut into nearly equal parts of at most `most`.
struct Cuts {
  int64_t size, count;
  Cuts(int64_t n, int64_t most) : size(n), count((n + most - 1) / most) {}
  int64_t begin(int64_t i) const { return size * i / count; }
  int64_t length(int64_t i) const { return begin(i + 1) - begin(i); }
};

/// The weights of a correlation as [groups, cuts of out_channels][terms, channels of the cut].
template <class T>
Tensor pack(const Correlation& c, const Weight<T>& weight, const Cuts& cuts);

/// Weights are brought into another order so many input channels at a time, which then lie in the first cache.
inline constexpr int64_t turned_together = 16;
/// The weights from input channels [begin, end) of a group to its output channels from `first` on: [input channel, kernel, width], with zeros behind
/// the last output channel.
void turn_weights(const Correlation& c, const Weight<float>& weight, int64_t group, int64_t first, int64_t width, int64_t begin, int64_t end,
                  float* to);

/// The number of pieces, each with sums of its own, that a weight gradient of `size` elements over `blocks` blocks is split into.
inline int64_t gradient_pieces(int64_t blocks, int64_t size) {
  constexpr int64_t most = 16, held = 1 << 24;  // pieces; elements of all their sums
  return std::max<int64_t>(1, std::min({blocks, most, held / std::max<int64_t>(size, 1)}));
}
/// Adds pieces 1, 2, … to the first of sums: [pieces, size], in this order.
template <class T>
void add_pieces(T* sums, int64_t pieces, int64_t size);

// The path of f64: patches laid out as rows of a matrix, and BLAS. Any groups, dilation, stride and padding.
void correlate_general(const Correlation& c, const double* in, const Weight<double>& weight, const double* bias, double* out);
/// `out` is [groups * out_channels, in_channels, y.taps, x.taps], row-major; `c` is that of the forward pass.
void weight_grad_general(const Correlation& c, const double* in, const double* gradient, double* out);

// One input channel a group (in the input gradient: one output channel a group).
template <class T>
void correlate_depthwise(const Correlation& c, const T* in, const Weight<T>& weight, const T* bias, T* out);
template <class T>
void weight_grad_depthwise(const Correlation& c, const T* in, const T* gradient, T* out);

// Registers over output channels: f32. The last of a group may be partly used.
/// Whether the channels of a group fill registers, and whether they nearly do.
bool fills_channels(const Correlation& c);
bool nearly_fills_channels(const Correlation& c);
void correlate_channels(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out);
void weight_grad_channels(const Correlation& c, const float* in, const float* gradient, float* out);

// Few output channels, many inputs side by side: f32, one group. Registers over the terms of dot products.
bool fits_dots(const Correlation& c);
void correlate_dots(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out);

// Narrow groups, several as one whose weights between different groups are zero: more products, but in full registers. f32.
/// How many; 1 where that doesn't help.
int64_t groups_together(const Correlation& c);
/// Whether at most every other product is lost to the zeros.
bool fits_groups(const Correlation& c);
void correlate_groups(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out);
void weight_grad_groups(const Correlation& c, const float* in, const float* gradient, float* out);

// Winograd's F(4x4, 3x3): f32, 3 x 3 kernels of stride 1.
bool fits_winograd(const Correlation& c);
/// Whether it beats the direct kernels too where those for odd numbers of channels are good: not in the gradient of the weights.
bool fills_registers(const Correlation& c);
void correlate_winograd(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out);
void weight_grad_winograd(const Correlation& c, const float* in, const float* gradient, float* out);

// Registers over images: f32, any numbers of channels, batches that fill registers.
bool fits_images(const Correlation& c);
void correlate_images(const Correlation& c, const float* in, const Weight<float>& weight, const float* bias, float* out);
void weight_grad_images(const Correlation& c, const float* in, const float* gradient, float* out);

}  // namespace scry::kernels::conv
