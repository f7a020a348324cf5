#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/interpolate.hpp>
#include <scry/autograd/ops/pool.hpp>
#include <scry/autograd/ops/resample.hpp>
#include <scry/core/room.hpp>
#include <algorithm>

namespace scry {
namespace {

using kernels::Resampling;

// What one axis becomes. A step of the result is numerator / denominator steps of the input.
struct Target {
  int64_t in, out;
  double numerator, denominator;
};

Target target_of(const Tensor& x, int axis, const InterpolateOptions& o) {
  constexpr double limit = int64_t{1} << 31;
  const bool height = x.rank() == 4 && axis == 2;
  const int64_t in = x.size(axis);
  require(in >= 1 && static_cast<double>(in) < limit, "interpolate: there is nothing along axis ", axis, " of shape ", x.shape());
  Target t{in, 0, static_cast<double>(in), 0};
  if (o.size) {
    t.out = height ? o.size->height : o.size->width;
    t.denominator = static_cast<double>(t.out);
  } else {
    t.denominator = height ? o.scale_factor->height : o.scale_factor->width;
    t.numerator = 1;
    const double size = std::floor(static_cast<double>(in) * t.denominator);
    t.out = size >= 1 && size < limit ? static_cast<int64_t>(size) : 0;
  }
  require(t.out >= 1 && static_cast<double>(t.out) < limit, "interpolate: axis ", axis, " of shape ", x.shape(), " would get ", t.out,
          " elements; expected at least 1 and fewer than 2^31");
  if (o.align_corners) {
    t.numerator = static_cast<double>(in - 1);
    t.denominator = static_cast<double>(std::max<int64_t>(t.out - 1, 1));
  }
  return t;
}

// Keys's cubic at a distance from its center.
double cubic(double distance) {
  constexpr double a = -0.75;
  const double d = std::abs(distance);
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

Tensor map_axis(const Tensor& x, int axis, const Target& t, const InterpolateOptions& o) {
  const bool nearest = o.mode == Interpolation::nearest || o.mode == Interpolation::nearest_exact;
  const double shift = o.align_corners || o.mode == Interpolation::nearest ? 0 : 0.5;
  const auto inside = [&](double place) { return std::clamp<int64_t>(static_cast<int64_t>(place), 0, t.in - 1); };
  Resampling map(t.in, t.out, t.out * 4);
  for (int64_t i = 0; i < t.out; ++i, map.end_row()) {
    double at = (static_cast<double>(i) + shift) * t.numerator / t.denominator;
    if (nearest) {
      map.add(inside(at), 1);
      continue;
    }
    at -= shift;
    const double base = std::floor(at);
    if (o.mode == Interpolation::linear) {
      map.add(inside(base), base + 1 - at);
      map.add(inside(base + 1), at - base);
    } else {
      for (int k = -1; k <= 2; ++k) map.add(inside(base + k), cubic(at - base - k));
    }
  }
  return autograd::resample(x, axis, map);
}

}  // namespace

Tensor interpolate(const Tensor& x, const InterpolateOptions& options) {
  autograd::require_floating("interpolate", x);
  require(x.rank() == 3 || x.rank() == 4, "interpolate: expected [N, C, H, W] or [N, C, L], got shape ", x.shape());
  require(options.size.has_value() != options.scale_factor.has_value(), "interpolate: give a size or a scale_factor, one of them");
  require(!options.align_corners || options.mode == Interpolation::linear || options.mode == Interpolation::cubic,
          "interpolate: align_corners is for linear and cubic interpolation");
  Shape size = x.shape();
  for (int axis = 2; axis < x.rank(); ++axis) size[axis] = target_of(x, axis, options).out;
  require_room("interpolate", size, x.dtype());
  Tensor y = x;
  for (int axis = 2; axis < x.rank(); ++axis) {
    const Target t = target_of(x, axis, options);
    if (options.mode != Interpolation::area && (t.in != t.out || t.numerator != t.denominator)) y = map_axis(y, axis, t, options);
  }
  if (options.mode == Interpolation::area) return x.rank() == 3 ? adaptive_avg_pool1d(x, size[2]) : adaptive_avg_pool2d(x, {size[2], size[3]});
  return y;
}

}  // namespace scry
