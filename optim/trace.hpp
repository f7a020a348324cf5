#pragma once

#include <scry/optim/optimizer.hpp>
#include <scry/optim/traced.hpp>

namespace scry::optim {

/// One element of a parameter, in row-major order.
struct TracedElement {
  std::string parameter;
  int64_t element = 0;
};

/// What one step did to one element.
struct TracedStep {
  int64_t step;    ///< counted from 1
  size_t element;  ///< which of the trace's
  double before, after;
  std::optional<double> gradient;                     ///< nothing where the parameter had none
  std::vector<std::pair<std::string, double>> slots;  ///< every piece of its state after the step, those with one number a row too
  std::vector<TracedTerm> terms;                      ///< how the new weight came about; empty for rules that aren't elementwise
};

/// Records the way of a few elements, step by step, as long as it lives: the gradient, every slot, the terms of the update, computed by the very
/// equation that makes the step, and its result. One trace an optimizer at a time; without one, steps only look whether there is one.
class Trace {
 public:
  Trace(Optimizer& optimizer, std::vector<TracedElement> elements);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Since the beginning or the last `clear`, element by element within a step.
  const std::vector<TracedStep>& steps() const;
  void clear();
  /// {"optimizer": …, "elements": [{"parameter": …, "element": …}], "steps": [{"step": 1, "element": 0, "before": …, "gradient": …, "after": …,
  /// "slots": {"adam/exp_avg": …}, "terms": [{"name": "exp_avg", "text": "exp_avg + 0.1 * (g - exp_avg)", "value": …}]}]}
  std::string json() const;

 private:
  class Recorder;
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace scry::optim
