#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/best.hpp>
#include <cmath>

namespace scry::optim {

Best::Best(MetricMode mode, double threshold, ThresholdMode threshold_mode)
    : mode_(mode),
      threshold_(threshold),
      threshold_mode_(threshold_mode),
      value_(mode == MetricMode::min ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity()) {
  require(std::isfinite(threshold) && threshold >= 0, "the threshold of a metric is ", threshold, "; expected a number, at least 0");
}

bool Best::improves(double value) {
  const double margin = mode_ == MetricMode::min ? -threshold_ : threshold_;
  const double bound = threshold_mode_ == ThresholdMode::rel ? value_ * (1 + margin) : value_ + margin;
  const bool better = mode_ == MetricMode::min ? value < bound : value > bound;
  if (better) value_ = value;
  return better;
}

std::vector<NamedTensor> Best::state_dict() const { return {{"best", full({}, value_, f64)}}; }

void Best::load_state_dict(const std::vector<NamedTensor>& state) { value_ = state_number("the best value of a metric", state, "best"); }

}  // namespace scry::optim
