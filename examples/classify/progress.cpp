#include "progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace classify {
namespace {

std::string clock_time(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  return text;
}

}  // namespace

Progress::Progress(int64_t epochs, int64_t batches_per_epoch, int64_t batches_done)
    : epochs_(epochs),
      batches_per_epoch_(batches_per_epoch),
      batches_done_(batches_done),
      terminal_(isatty(STDOUT_FILENO) == 1),
      last_(Clock::now()),
      shown_(last_) {}

void Progress::pause() { seconds_ += std::chrono::duration<double>(Clock::now() - last_).count(); }

void Progress::resume() { last_ = Clock::now(); }

void Progress::batch_done(int64_t epoch, int64_t batch, int64_t images, int64_t correct, double loss) {
  pause();
  resume();
  ++batches_done_;
  ++batches_here_;
  images_ += images;
  epoch_images_ += images;
  epoch_correct_ += correct;
  epoch_loss_ += loss * static_cast<double>(images);
  const double since_shown = std::chrono::duration<double>(last_ - shown_).count();
  if (since_shown < (terminal_ ? 0.1 : 10.0) && batch != batches_per_epoch_) return;
  if (!terminal_ && batch == batches_per_epoch_) return;  // the epoch's own line follows
  shown_ = last_;
  show(epoch, batch);
}

double Progress::time_left() const {
  const auto left = static_cast<double>(epochs_ * batches_per_epoch_ - batches_done_);
  return batches_here_ ? seconds_ / static_cast<double>(batches_here_) * left : 0;
}

void Progress::show(int64_t epoch, int64_t batch) {
  const auto seen = static_cast<double>(std::max<int64_t>(epoch_images_, 1));
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "loss %.4f  accuracy %5.2f %%  %.0f images/s  %s left", epoch_loss_ / seen,
                100 * static_cast<double>(epoch_correct_) / seen, images_per_second(), clock_time(time_left()).c_str());
  if (!terminal_) {
    std::printf("epoch %lld/%lld  batch %lld/%lld  %s\n", static_cast<long long>(epoch), static_cast<long long>(epochs_),
                static_cast<long long>(batch), static_cast<long long>(batches_per_epoch_), numbers);
  } else {
    constexpr int64_t width = 24;
    const auto filled = static_cast<size_t>(width * batch / batches_per_epoch_);
    std::string bar;
    for (size_t i = 0; i < static_cast<size_t>(width); ++i) bar += i < filled ? "━" : "─";
    std::printf("\r\033[Kepoch %lld/%lld %s %s", static_cast<long long>(epoch), static_cast<long long>(epochs_), bar.c_str(), numbers);
    bar_open_ = true;
  }
  std::fflush(stdout);
}

void Progress::leave() {
  if (bar_open_) std::printf("\n");
  bar_open_ = false;
  std::fflush(stdout);
}

void Progress::epoch_done(int64_t epoch, double test_accuracy) {
  const auto seen = static_cast<double>(std::max<int64_t>(epoch_images_, 1));
  if (bar_open_) std::printf("\r\033[K");
  bar_open_ = false;
  std::printf("epoch %lld/%lld  loss %.4f  accuracy %5.2f %%  test accuracy %5.2f %%  %.0f images/s  %s left\n", static_cast<long long>(epoch),
              static_cast<long long>(epochs_), epoch_loss_ / seen, 100 * static_cast<double>(epoch_correct_) / seen, 100 * test_accuracy,
              images_per_second(), clock_time(time_left()).c_str());
  std::fflush(stdout);
  epoch_images_ = epoch_correct_ = 0;
  epoch_loss_ = 0;
}

}  // namespace classify
