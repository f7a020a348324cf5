#pragma once

#include <scry/autograd/ops/dropout.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// In training each element is 0 with probability p, else multiplied by 1 / (1 - p); in evaluation nothing changes.
struct Dropout : Module<Dropout> {
  explicit Dropout(double probability = 0.5) : p(probability) {
    require(p >= 0 && p <= 1, "nn.Dropout: expected a probability from 0 to 1, got ", p);
  }
  Tensor forward(const Tensor& x) const { return training() ? dropout(x, p) : x; }
  std::string describe() const { return text("nn.Dropout p ", p); }

  double p;
};

}  // namespace scry::nn
