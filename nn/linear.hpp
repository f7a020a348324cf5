#pragma once

#include <scry/nn/module.hpp>

namespace scry::nn {

struct LinearOptions {
  bool bias = true;
  DType dtype = f32;
};

/// y = x Wᵀ + b.  x: [..., in] -> [..., out].  Parameters: weight [out, in], bias [out]. Initialisation: uniform ±1/√in, as PyTorch.
struct Linear : Module<Linear> {
  Linear(int64_t in, int64_t out, LinearOptions options = {});
  Tensor forward(const Tensor& x) const;
  std::string describe() const;

  Tensor weight, bias;
};

}  // namespace scry::nn
