#pragma once

#include <scry/autograd/ops/window.hpp>
#include <optional>

namespace scry {

/// How elements between those of the input are made: the nearest before the place (`nearest`, which rounds places down) or around it, a line
/// between two (along each axis), a cubic through four (Keys 1981, with a = -0.75), or the mean of what a new element covers.
enum class Interpolation { nearest, nearest_exact, linear, cubic, area };

struct InterpolateOptions {
  std::optional<Pair> size = std::nullopt;                    ///< of the result …
  std::optional<PairOf<double>> scale_factor = std::nullopt;  ///< … or how much larger it is, rounded down
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  ///< linear, cubic: the centers of the first and last elements stay in place, instead of their outer edges
};

/// x: [N, C, H, W] or [N, C, L], f32 or f64, in another size, as torch.nn.functional.interpolate.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

}  // namespace scry
