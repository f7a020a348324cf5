#pragma once

#include <scry/core/tensor.hpp>
#include <limits>

namespace scry::optim {

/// Whether a metric ought to fall or to rise.
enum class MetricMode : uint8_t { min, max };
enum class ThresholdMode : uint8_t { rel, abs };

/// The best value of a metric so far.
class Best {
 public:
  /// Improvements up to `threshold` don't count: of the best value (rel), or as it stands (abs).
  explicit Best(MetricMode mode, double threshold = 0, ThresholdMode threshold_mode = ThresholdMode::abs);

  /// Takes the next value; whether it is the best so far. NaN never is.
  bool improves(double value);
  double value() const { return value_; }

  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  MetricMode mode_;
  double threshold_;
  ThresholdMode threshold_mode_;
  double value_;
};

}  // namespace scry::optim
