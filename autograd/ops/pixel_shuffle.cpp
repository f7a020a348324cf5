#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/pixel_shuffle.hpp>
#include <scry/autograd/ops/view.hpp>
#include <array>
#include <numeric>

namespace scry {
namespace {

void check(std::string_view op, const Tensor& x, int64_t factor) {
  autograd::require_defined(op, x);
  require(x.rank() >= 3 && x.rank() <= Shape::max_rank - 2, op, ": expected 3 to ", Shape::max_rank - 2, " axes, [..., C, H, W], got shape ",
          x.shape());
  require(factor >= 1 && factor < 1 << 15, op, ": expected a factor from 1 to below 2^15, got ", factor);
}

// x with its last three axes split into five, those in another order, and shaped again: {C, H, W} of the result.
Tensor reordered(const Tensor& x, std::initializer_list<int64_t> split, std::initializer_list<int> order, std::initializer_list<int64_t> result) {
  const int lead = x.rank() - 3;
  Shape parts(std::span(x.shape().begin(), static_cast<size_t>(lead))), sizes = parts;
  for (const int64_t size : split) parts.push_back(size);
  for (const int64_t size : result) sizes.push_back(size);
  std::array<int, Shape::max_rank> axes;
  std::iota(axes.begin(), axes.end(), 0);
  for (int i = lead; const int axis : order) axes[static_cast<size_t>(i++)] = lead + axis;
  return reshape(permute(reshape(x, parts), std::span(axes.data(), static_cast<size_t>(parts.rank()))), sizes);
}

}  // namespace

Tensor pixel_shuffle(const Tensor& x, int64_t factor) {
  check("pixel_shuffle", x, factor);
  const int64_t r = factor, c = x.size(-3) / (r * r), h = x.size(-2), w = x.size(-1);
  require(c * r * r == x.size(-3), "pixel_shuffle: the channels of shape ", x.shape(), " aren't a multiple of ", r, " squared");
  return reordered(x, {c, r, r, h, w}, {0, 3, 1, 4, 2}, {c, h * r, w * r});
}

Tensor pixel_unshuffle(const Tensor& x, int64_t factor) {
  check("pixel_unshuffle", x, factor);
  const int64_t r = factor, c = x.size(-3), h = x.size(-2) / r, w = x.size(-1) / r;
  require(h * r == x.size(-2) && w * r == x.size(-1), "pixel_unshuffle: height and width of shape ", x.shape(), " aren't multiples of ", r);
  return reordered(x, {c, h, r, w, r}, {0, 2, 4, 1, 3}, {c * r * r, h, w});
}

}  // namespace scry
