#pragma once

#include <scry/optim/best.hpp>
#include <scry/optim/optimizer.hpp>
#include <scry/optim/schedule.hpp>

namespace scry::optim {

/// Which option follows a schedule.
struct Course {
  std::string option = "lr";  ///< as in Optimizer::set: "lr", "momentum", "lookahead/alpha"
  Schedule schedule;
  std::string group = {};  ///< a group's pattern; empty: the optimizer's value, and that of every group which has one of its own
};

/// Moves options of an optimizer along schedules. It sets them when it is made and at every `step`, always from the values that they were given
/// when the optimizer was made. It stays with the optimizer when that is moved or wrapped.
class Scheduler {
 public:
  /// An Error where there is no such option, or the schedule leaves its range; nothing has changed then.
  Scheduler(Optimizer& optimizer, std::vector<Course> courses);
  /// Of the learning rate.
  Scheduler(Optimizer& optimizer, Schedule schedule) : Scheduler(optimizer, {{.schedule = std::move(schedule)}}) {}

  /// One more batch or epoch, whatever the schedules count, is done.
  void step() { set_steps(steps_ + 1); }
  int64_t steps() const { return steps_; }
  /// As if so many had been done.
  void set_steps(int64_t steps);

  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  struct Before {
    UpdateRule* rule;
    size_t option, group;
    double value;
  };
  std::shared_ptr<Engine> engine_;
  std::vector<Course> courses_;
  std::vector<Before> before_;  // keeps its memory from step to step
  int64_t steps_ = 0;
};

struct PlateauOptions {
  MetricMode mode = MetricMode::min;
  double factor = 0.1;      ///< in (0, 1)
  int64_t patience = 10;    ///< steps without improvement that are put up with
  double threshold = 1e-4;  ///< smaller improvements don't count
  ThresholdMode threshold_mode = ThresholdMode::rel;
  int64_t cooldown = 0;  ///< steps after a reduction in which nothing is counted
  double min_lr = 0;
  double eps = 1e-8;  ///< smaller reductions are left out
  std::string option = "lr", group = {};
};

/// PyTorch's ReduceLROnPlateau: multiplies the learning rate (or another option) by `factor` when a metric has stopped improving.
class ReduceOnPlateau {
 public:
  ReduceOnPlateau(Optimizer& optimizer, PlateauOptions options);
  /// An epoch is done. A metric that is NaN is no improvement.
  void step(double metric);

  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  std::shared_ptr<Engine> engine_;
  PlateauOptions options_;
  Best best_;
  int64_t bad_ = 0, cooling_ = 0;  // steps without improvement; steps of the cooldown that are left
};

}  // namespace scry::optim
