#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

struct LossScaleOptions {
  double scale = 65536;            ///< what the loss is multiplied by, to begin with
  double growth_factor = 2;        ///< of the scale after `growth_interval` good steps, at least 1
  double backoff_factor = 0.5;     ///< of the scale after a bad one, in [0, 1]
  int64_t growth_interval = 2000;  ///< at least 1
};

/// Dynamic loss scaling, as PyTorch's GradScaler: Micikevicius et al. 2018 ("Mixed precision training"). Multiply the loss by
/// `optimizer.get("scale")` before backward; gradients are divided by it where they are used. Where one is not finite, the step is skipped and the
/// scale falls; after many good steps it grows. With {.scale = 1, .growth_factor = 1, .backoff_factor = 1} it only skips such steps.
struct LossScale : Optimizer {
  LossScale(Optimizer&& inner, const LossScaleOptions& options);
};

}  // namespace scry::optim
