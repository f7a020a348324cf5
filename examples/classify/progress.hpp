#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace classify {

/// What is shown while an epoch runs: a bar that is drawn again and again on a terminal, else a plain line every few seconds.
class Progress {
 public:
  Progress(int64_t epochs, int64_t batches_per_epoch);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { leave(); }  // so that an error gets a line of its own

  /// So many batches were done before, in another run of the program.
  void skip(int64_t batches) { batches_done_ += batches; }

  /// Takes part in the averages of this epoch and is shown, ten times a second at most.
  void batch_done(int64_t epoch, int64_t batch, int64_t images, int64_t correct, double loss);
  /// The line that stays: the epoch's averages, and the test accuracy.
  void epoch_done(int64_t epoch, double test_accuracy);
  /// Ends a bar that is still on its line.
  void leave();

  /// The average over this epoch so far.
  double mean_loss() const;
  double seconds() const { return seconds_; }
  int64_t images() const { return images_; }
  double images_per_second() const { return seconds_ > 0 ? static_cast<double>(images_) / seconds_ : 0; }
  /// Time between these two isn't training.
  void pause();
  void resume();

 private:
  using Clock = std::chrono::steady_clock;
  void show(int64_t epoch, int64_t batch);
  std::string epoch_of(int64_t epoch) const;
  std::string averages() const;
  std::string speed() const;
  double time_left() const;

  int64_t epochs_, batches_per_epoch_, batches_done_ = 0, batches_here_ = 0;
  int64_t images_ = 0, epoch_images_ = 0, epoch_correct_ = 0;
  double seconds_ = 0, epoch_loss_ = 0;
  bool terminal_, bar_open_ = false;
  Clock::time_point last_, shown_;
};

}  // namespace classify
