#pragma once

#include <scry/autograd/ops/math.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// max(x, 0), elementwise.
struct ReLU : Module<ReLU> {
  Tensor forward(const Tensor& x) const { return relu(x); }
  std::string describe() const { return "nn.ReLU"; }
};

}  // namespace scry::nn
