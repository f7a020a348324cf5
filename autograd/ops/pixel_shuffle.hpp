#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// Channels become pixels: [..., C r², H, W] -> [..., C, H r, W r], any type, for an upscaling `factor` r (Shi et al. 2016).
Tensor pixel_shuffle(const Tensor& x, int64_t factor);
/// The reverse: [..., C, H r, W r] -> [..., C r², H, W].
Tensor pixel_unshuffle(const Tensor& x, int64_t factor);

}  // namespace scry
