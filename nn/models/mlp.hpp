#pragma once

#include <scry/autograd/ops/activation.hpp>
#include <scry/nn/flatten.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/sequential.hpp>

namespace scry::nn {

/// Linear layers with relu between them: mlp({784, 128, 10}) maps [N, 784] to [N, 10].
inline Sequential mlp(const std::vector<int64_t>& sizes) {
  require(sizes.size() >= 2, "mlp: expected at least two sizes, the inputs' and the outputs'");
  Sequential net;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    net.push_back(Linear{sizes[i], sizes[i + 1]});
    if (i + 2 < sizes.size()) net.push_back(relu);
  }
  return net;
}

}  // namespace scry::nn
