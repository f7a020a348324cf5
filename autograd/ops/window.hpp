#pragma once

#include <scry/core/kernels/conv2d_window.hpp>

namespace scry {

/// A number for the height and one for the width of an image; one number stands for both. Ops in one dimension take the width's.
template <class T>
struct PairOf {
  constexpr PairOf(T both) : height(both), width(both) {}
  constexpr PairOf(T of_height, T of_width) : height(of_height), width(of_width) {}
  T height, width;
};
using Pair = PairOf<int64_t>;

template <class T>
void append_text(std::string& out, const PairOf<T>& pair) {
  if (pair.height != pair.width) out += text(pair.height, " x ");
  append_text(out, pair.width);
}

/// How much stands around an image: `2` on all sides, `{1, 2}` above and below, and left and right, `{{1, 0}, {2, 0}}` before (above, left)
/// and after (below, right) it.
struct Padding {
  constexpr Padding(int64_t all) : Padding(Pair(all)) {}
  constexpr Padding(int64_t height, int64_t width) : Padding(Pair(height, width)) {}
  constexpr Padding(Pair both) : Padding(both, both) {}
  constexpr Padding(Pair at_start, Pair at_end) : before(at_start), after(at_end) {}
  /// What keeps the image's size, for strides of 1; an odd one out stands after it.
  static const Padding same;
  /// None.
  static const Padding valid;

  Pair before, after;
  bool automatic = false;

 private:
  constexpr Padding(Pair at_start, Pair at_end, bool keeps_size) : before(at_start), after(at_end), automatic(keeps_size) {}
};
inline constexpr Padding Padding::same{0, 0, true};
inline constexpr Padding Padding::valid = 0;

namespace autograd {

/// The window that these numbers mean on images of one dimension (whose height is 1) or two; errors name `op`.
kernels::Window2d window_of(std::string_view op, int dimensions, Pair kernel, Pair stride, const Padding& padding, Pair dilation);

/// A sequence [N, C, L] as an image of height 1; images as they are.
Tensor image_of(const Tensor& x);
/// The reverse, for what began with `rank` axes.
Tensor with_rank(const Tensor& image, int rank);

/// The maxima of images in any windows.
Tensor max_pool(const Tensor& images, const kernels::Window2d& window);

}  // namespace autograd
}  // namespace scry
