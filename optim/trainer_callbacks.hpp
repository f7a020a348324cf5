#pragma once

#include <scry/optim/checkpoint.hpp>
#include <scry/optim/scheduler.hpp>
#include <scry/optim/trainer.hpp>
#include <iosfwd>

namespace scry::optim {

/// A line an epoch: "epoch 3 of 10: accuracy 0.91, loss 0.24".
class PrintProgress : public Callback {
 public:
  explicit PrintProgress(std::ostream& out) : out_(out) {}
  void epoch_done(Training& training) override;

 private:
  std::ostream& out_;
};

/// Appends a line of JSON an epoch to a file: {"epoch": 3, "accuracy": 0.91, "loss": 0.24}. What is no number is null.
class LogMetrics : public Callback {
 public:
  explicit LogMetrics(std::string path) : path_(std::move(path)) {}
  void epoch_done(Training& training) override;

 private:
  std::string path_;
};

enum class Every : uint8_t { batch, epoch };

/// Steps a schedule.
class StepSchedule : public Callback {
 public:
  explicit StepSchedule(Scheduler& scheduler, Every every = Every::batch) : scheduler_(scheduler), every_(every) {}
  void batch_done(Training&) override {
    if (every_ == Every::batch) scheduler_.step();
  }
  void epoch_done(Training&) override {
    if (every_ == Every::epoch) scheduler_.step();
  }

 private:
  Scheduler& scheduler_;
  Every every_;
};

/// Steps a ReduceOnPlateau after each epoch, by one of its metrics.
class StepPlateau : public Callback {
 public:
  explicit StepPlateau(ReduceOnPlateau& plateau, std::string metric = "loss") : plateau_(plateau), metric_(std::move(metric)) {}
  void epoch_done(Training& training) override;

 private:
  ReduceOnPlateau& plateau_;
  std::string metric_;
};

/// Ends training when a metric has not improved for more than `patience` epochs. A part of checkpoints.
class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(int64_t patience, std::string metric = "loss", MetricMode mode = MetricMode::min, double min_delta = 0);
  void epoch_done(Training& training) override;
  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  int64_t patience_, bad_ = 0;
  std::string metric_;
  Best best_;
};

struct SaveCheckpointsOptions {
  std::string last = {};        ///< the file of the newest state; empty: none
  std::string best = {};        ///< the file of the best epoch's; empty: none
  std::string metric = "loss";  ///< by which it is the best
  MetricMode mode = MetricMode::min;
  int64_t every = 0;                       ///< batches between saves of `last`, besides those after each epoch; 0: none
  std::vector<CheckpointPart> parts = {};  ///< what else is saved: the loader, the trainer, schedules
};

/// Saves checkpoints. As the last callback it saves what the others have done. A part of checkpoints: which epoch was the best.
class SaveCheckpoints : public Callback {
 public:
  SaveCheckpoints(Optimizer& optimizer, SaveCheckpointsOptions options);
  void batch_done(Training& training) override;
  void epoch_done(Training& training) override;
  std::vector<NamedTensor> state_dict() const { return best_.state_dict(); }
  void load_state_dict(const std::vector<NamedTensor>& state) { best_.load_state_dict(state); }

 private:
  Optimizer& optimizer_;
  SaveCheckpointsOptions options_;
  Best best_;
};

}  // namespace scry::optim
