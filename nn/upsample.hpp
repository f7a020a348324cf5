#pragma once

#include <scry/autograd/ops/interpolate.hpp>
#include <scry/autograd/ops/pixel_shuffle.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// [N, C, H, W] or [N, C, L] in another size, see scry::interpolate: `nn::Upsample({.scale_factor = 2, .mode = Interpolation::linear})`.
struct Upsample : Module<Upsample> {
  explicit Upsample(const InterpolateOptions& given) : options(given) {}
  Tensor forward(const Tensor& x) const { return interpolate(x, options); }
  std::string describe() const {
    return text("nn.Upsample ", options.size ? text("to ", *options.size) : options.scale_factor ? text("by ", *options.scale_factor) : "");
  }

  InterpolateOptions options;
};

/// [..., C r², H, W] -> [..., C, H r, W r] for a factor r.
struct PixelShuffle : Module<PixelShuffle> {
  explicit PixelShuffle(int64_t upscale_factor) : factor(upscale_factor) {}
  Tensor forward(const Tensor& x) const { return pixel_shuffle(x, factor); }
  std::string describe() const { return text("nn.PixelShuffle ", factor); }

  int64_t factor;
};

/// [..., C, H r, W r] -> [..., C r², H, W] for a factor r.
struct PixelUnshuffle : Module<PixelUnshuffle> {
  explicit PixelUnshuffle(int64_t downscale_factor) : factor(downscale_factor) {}
  Tensor forward(const Tensor& x) const { return pixel_unshuffle(x, factor); }
  std::string describe() const { return text("nn.PixelUnshuffle ", factor); }

  int64_t factor;
};

}  // namespace scry::nn
