#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/pad.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/room.hpp>
#include <algorithm>

namespace scry {
namespace {

using autograd::record;
using autograd::wrt;

// How much to add to each axis; negative to cut.
struct Widths {
  Shape before, after;
};

Widths by_axis(const Shape& shape, std::span<const int64_t> widths) {
  const auto count = static_cast<int>(widths.size() / 2);
  require(widths.size() % 2 == 0 && widths.size() <= 2 * static_cast<size_t>(shape.rank()), "pad: ", widths.size(), " widths for shape ", shape,
          "; expected two for each of some last axes");
  Widths out{Shape::filled(shape.rank(), 0), Shape::filled(shape.rank(), 0)};
  for (int k = 0; k < count; ++k) {
    const int axis = shape.rank() - 1 - k;
    const int64_t before = widths[2 * static_cast<size_t>(k)], after = widths[2 * static_cast<size_t>(k) + 1];
    constexpr int64_t limit = int64_t{1} << 60;
    require(std::abs(std::max(before, -limit)) < limit && std::abs(std::max(after, -limit)) < limit, "pad: widths ", before, " and ", after,
            " of axis ", axis, " of shape ", shape, " are too large");
    require(shape[axis] >= std::max<int64_t>(-before, 0) + std::max<int64_t>(-after, 0), "pad: widths ", before, " and ", after,
            " cut more than there is of axis ", axis, " of shape ", shape);
    out.before[axis] = before;
    out.after[axis] = after;
  }
  return out;
}

// Negative widths undo positive ones, so the op is its own gradient.
Tensor pad_constant(const Tensor& x, const Widths& widths, double value) {
  const autograd::Recorder recorder = autograd::record("pad");
  Shape shape = x.shape();
  for (int i = 0; i < shape.rank(); ++i) shape[i] += widths.before[i] + widths.after[i];
  require_room("pad", shape, x.dtype());
  Tensor out = Tensor::empty_strided(shape, kernels::strides_like(x, shape), x.dtype());
  Region inside = Region::whole(shape), kept = Region::whole(x.shape());
  for (int i = 0; i < shape.rank(); ++i) {
    const int64_t before = std::max<int64_t>(widths.before[i], 0), after = std::max<int64_t>(widths.after[i], 0);
    const auto border = [&](int64_t start, int64_t count) {
      if (count > 0) kernels::fill(Region(inside).take(i, start, count).of(out), value);
    };
    border(0, before);
    border(shape[i] - after, after);
    inside.take(i, before, shape[i] - before - after);
    kept.take(i, before - widths.before[i], shape[i] - before - after);
  }
  kernels::copy_into(inside.of(out), kept.of(x));
  const auto undo = [](const Tensor& g, const Widths& by) {
    Widths back = by;
    for (int i = 0; i < g.rank(); ++i) {
      back.before[i] = -by.before[i];
      back.after[i] = -by.after[i];
    }
    return pad_constant(g, back, 0);
  };
  return recorder(out, wrt(x, undo, widths));
}

// One axis from pieces of x: what stands before, what stays, what stands after.
Tensor pad_axis(const Tensor& x, int axis, int64_t before, int64_t after, PadMode mode) {
  const int64_t size = x.shape()[axis], most = std::max(before, after);
  const bool fits = most <= 0 || (mode == PadMode::reflect ? most < size : mode == PadMode::circular ? most <= size : size > 0);
  require(fits, "pad: widths ", before, " and ", after, " reach beyond the elements of axis ", axis, " of shape ", x.shape());
  const auto edge = [&](int64_t width, bool front) {
    switch (mode) {
      case PadMode::reflect: return flip(narrow(x, axis, front ? 1 : size - 1 - width, width), {axis});
      case PadMode::circular: return narrow(x, axis, front ? size - width : 0, width);
      default: break;
    }
    Shape wide = x.shape();
    wide[axis] = width;
    require_room("pad", wide, x.dtype());
    return expand(narrow(x, axis, front ? 0 : size - 1, 1), wide);
  };
  const int64_t start = std::max<int64_t>(-before, 0), stop = size - std::max<int64_t>(-after, 0);
  std::vector<Tensor> pieces;
  if (before > 0) pieces.push_back(edge(before, true));
  pieces.push_back(start > 0 || stop < size ? narrow(x, axis, start, stop - start) : x);
  if (after > 0) pieces.push_back(edge(after, false));
  return pieces.size() == 1 ? pieces[0] : cat(pieces, axis);
}

}  // namespace

Tensor pad(const Tensor& x, std::span<const int64_t> widths, const PadOptions& options) {
  autograd::require_defined("pad", x);
  const Widths axes = by_axis(x.shape(), widths);
  if (std::all_of(widths.begin(), widths.end(), [](int64_t width) { return width == 0; })) return x;
  if (options.mode == PadMode::constant) return pad_constant(x, axes, options.value);
  Tensor y = x;
  for (int i = 0; i < x.rank(); ++i) y = pad_axis(y, i, axes.before[i], axes.after[i], options.mode);
  return y;
}

Tensor pad(const Tensor& x, std::initializer_list<int64_t> widths, const PadOptions& options) {
  return pad(x, std::span(widths.begin(), widths.size()), options);
}

}  // namespace scry
