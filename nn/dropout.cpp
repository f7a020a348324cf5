#include <scry/nn/dropout.hpp>

namespace scry::nn {
namespace {

double checked(std::string_view layer, double p) {
  require(p >= 0 && p <= 1, "nn.", layer, ": expected a probability from 0 to 1, got ", p);
  return p;
}

}  // namespace

Dropout::Dropout(double probability) : p(checked("Dropout", probability)) {}
AlphaDropout::AlphaDropout(double probability) : p(checked("AlphaDropout", probability)) {}
StochasticDepth::StochasticDepth(double probability, DropPath what) : p(checked("StochasticDepth", probability)), mode(what) {}

template <int dimensions>
FeatureDropout<dimensions>::FeatureDropout(double probability) : p(checked(dimensions == 1 ? "Dropout1d" : "Dropout2d", probability)) {}

template <int dimensions>
Tensor FeatureDropout<dimensions>::forward(const Tensor& x) const {
  require(x.defined() && x.rank() == dimensions + 2, "expected an input of shape ", dimensions == 1 ? "[N, C, L]" : "[N, C, H, W]", ", got ",
          x.shape());
  return this->training() ? feature_dropout(x, p) : x;
}

template struct FeatureDropout<1>;
template struct FeatureDropout<2>;

}  // namespace scry::nn
