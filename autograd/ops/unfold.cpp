#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/pad.hpp>
#include <scry/autograd/ops/unfold.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/copy.hpp>
#include <algorithm>

namespace scry {
namespace {

using autograd::record;
using autograd::wrt;

// How many windows fit into images of this size, in rows and across.
Pair windows(const char* op, Pair size, const UnfoldOptions& o) {
  const auto window = autograd::window_of(op, 2, o.kernel, o.stride, o.padding, o.dilation);
  return {kernels::window_count(op, window, 0, size.height), kernels::window_count(op, window, 1, size.width)};
}

// The places that element [a, b] of all kernels looks at in the padded image.
Region taps(const Tensor& padded, const UnfoldOptions& o, int64_t a, int64_t b, int64_t rows, int64_t columns) {
  return Region::whole(padded.shape()).take(2, a * o.dilation.height, rows, o.stride.height).take(3, b * o.dilation.width, columns, o.stride.width);
}

// visit(part of the padded images, part of the columns) for every element of the kernel.
template <class F>
void for_each_tap(const Tensor& padded, const Tensor& columns, const UnfoldOptions& o, int64_t rows, int64_t across, const F& visit) {
  const Tensor split =
      Tensor::view(columns.node().storage, columns.node().offset, {padded.size(0), padded.size(1), o.kernel.height, o.kernel.width, rows, across},
                   row_major_strides({padded.size(0), padded.size(1), o.kernel.height, o.kernel.width, rows, across}), columns.dtype());
  for (int64_t a = 0; a < o.kernel.height; ++a)
    for (int64_t b = 0; b < o.kernel.width; ++b)
      visit(taps(padded, o, a, b, rows, across).of(padded), Region::whole(split.shape()).take(2, a, 1).take(3, b, 1).drop(3).drop(2).of(split));
}

Tensor fold_images(const Tensor& columns, Pair size, const UnfoldOptions& o);

Tensor unfold_images(const Tensor& x, const UnfoldOptions& o) {
  const autograd::Recorder recorder = record("unfold");
  const Pair size{x.size(2), x.size(3)};
  const auto [rows, across] = windows("unfold", size, o);
  const Tensor padded = pad(x.detach(), {o.padding.width, o.padding.width, o.padding.height, o.padding.height});
  Tensor out = Tensor::empty({x.size(0), x.size(1) * o.kernel.height * o.kernel.width, rows * across}, x.dtype());
  for_each_tap(padded, out, o, rows, across, [](const Tensor& image, const Tensor& column) { kernels::copy_into(column, image); });
  return recorder(out, wrt(x, fold_images, size, o));
}

Tensor fold_images(const Tensor& columns, Pair size, const UnfoldOptions& o) {
  const autograd::Recorder recorder = record("fold");
  const auto [rows, across] = windows("fold", size, o);
  const int64_t taps_each = o.kernel.height * o.kernel.width;
  require(columns.size(1) % taps_each == 0 && columns.size(2) == rows * across, "fold: expected [N, C * ", taps_each, ", ", rows * across,
          "] for images of ", size.height, " x ", size.width, ", got shape ", columns.shape());
  const Tensor padded =
      zeros({columns.size(0), columns.size(1) / taps_each, size.height + 2 * o.padding.height, size.width + 2 * o.padding.width}, columns.dtype());
  for_each_tap(padded, kernels::contiguous(columns), o, rows, across,
               [](const Tensor& image, const Tensor& column) { kernels::add_into(image, column); });
  const Tensor out = pad(padded, {-o.padding.width, -o.padding.width, -o.padding.height, -o.padding.height});
  return recorder(out, wrt(columns, unfold_images, o));
}

}  // namespace

Tensor unfold(const Tensor& x, const UnfoldOptions& options) {
  autograd::require_defined("unfold", x);
  require(x.rank() == 3 || x.rank() == 4, "unfold: expected [N, C, H, W] or [C, H, W], got shape ", x.shape());
  return x.rank() == 4 ? unfold_images(x, options) : squeeze(unfold_images(unsqueeze(x, 0), options), 0);
}

Tensor fold(const Tensor& columns, Pair size, const UnfoldOptions& options) {
  autograd::require_defined("fold", columns);
  require(columns.dtype() != boolean, "fold: bools of shape ", columns.shape(), " can't be added; convert with cast(x, i64)");
  require(columns.rank() == 2 || columns.rank() == 3, "fold: expected [N, C KH KW, L] or [C KH KW, L], got shape ", columns.shape());
  return columns.rank() == 3 ? fold_images(columns, size, options) : squeeze(fold_images(unsqueeze(columns, 0), size, options), 0);
}

}  // namespace scry
