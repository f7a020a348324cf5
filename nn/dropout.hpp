#pragma once

#include <scry/autograd/ops/dropout.hpp>
#include <scry/nn/module.hpp>

// Noise in training; in evaluation nothing changes.
namespace scry::nn {

/// Each element is 0 with probability p, else multiplied by 1 / (1 - p), see scry::dropout.
struct Dropout : Module<Dropout> {
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) const { return training() ? dropout(x, p) : x; }
  std::string describe() const { return text("nn.Dropout p ", p); }

  double p;
};

/// The same for whole channels of [N, C, L] or, in two dimensions, [N, C, H, W], see scry::feature_dropout.
template <int dimensions>
struct FeatureDropout : Module<FeatureDropout<dimensions>> {
  explicit FeatureDropout(double p = 0.5);
  Tensor forward(const Tensor& x) const;
  std::string describe() const { return text("nn.Dropout", dimensions, "d p ", p); }

  double p;
};
using Dropout1d = FeatureDropout<1>;
using Dropout2d = FeatureDropout<2>;
extern template struct FeatureDropout<1>;
extern template struct FeatureDropout<2>;

/// Dropout that keeps mean and variance after SELU, see scry::alpha_dropout.
struct AlphaDropout : Module<AlphaDropout> {
  explicit AlphaDropout(double p = 0.5);
  Tensor forward(const Tensor& x) const { return training() ? alpha_dropout(x, p) : x; }
  std::string describe() const { return text("nn.AlphaDropout p ", p); }

  double p;
};

/// What stochastic depth drops at once.
enum class DropPath { row, batch };

/// A residual branch is dropped with probability p, by sample (row) or for the whole batch, see scry::stochastic_depth.
struct StochasticDepth : Module<StochasticDepth> {
  explicit StochasticDepth(double p, DropPath mode = DropPath::row);
  Tensor forward(const Tensor& x) const { return training() ? stochastic_depth(x, p, mode == DropPath::batch) : x; }
  std::string describe() const { return text("nn.StochasticDepth p ", p); }

  double p;
  DropPath mode;
};

}  // namespace scry::nn
