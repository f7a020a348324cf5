#include "progress.hpp"

#include <sys/ioctl.h>
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

// Of the terminal, now: windows change their size.
int64_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(int64_t epochs, int64_t batches_per_epoch)
    : epochs_(epochs), batches_per_epoch_(batches_per_epoch), terminal_(isatty(STDOUT_FILENO) == 1), last_(Clock::now()), shown_(last_) {}

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

double Progress::mean_loss() const { return epoch_loss_ / static_cast<double>(std::max<int64_t>(epoch_images_, 1)); }

// Counts from 1, as wide as the last epoch's, so that lines stay aligned.
std::string Progress::epoch_of(int64_t epoch) const {
  const std::string last = std::to_string(epochs_), count = std::to_string(epoch);
  return "epoch " + std::string(last.size() - std::min(last.size(), count.size()), ' ') + count + "/" + last;
}

std::string Progress::averages() const {
  char text[96];
  std::snprintf(text, sizeof text, "loss %.4f  accuracy %6.2f %%", mean_loss(),
                100 * static_cast<double>(epoch_correct_) / static_cast<double>(std::max<int64_t>(epoch_images_, 1)));
  return text;
}

std::string Progress::speed() const {
  char text[96];
  std::snprintf(text, sizeof text, "%.0f images/s  %s left", images_per_second(), clock_time(time_left()).c_str());
  return text;
}

void Progress::show(int64_t epoch, int64_t batch) {
  const std::string numbers = averages() + "  " + speed();
  if (!terminal_) {
    std::printf("%s  batch %lld/%lld  %s\n", epoch_of(epoch).c_str(), static_cast<long long>(batch), static_cast<long long>(batches_per_epoch_),
                numbers.c_str());
  } else {
    // A line that the terminal breaks in two couldn't be drawn over.
    const std::string head = epoch_of(epoch) + " ";
    const int64_t space = columns() - 1, width = std::min<int64_t>(24, space - static_cast<int64_t>(head.size() + numbers.size() + 1));
    std::string bar;
    for (int64_t i = 0; i < width; ++i) bar += i * batches_per_epoch_ < width * batch ? "━" : "─";
    const std::string tail = (width > 0 ? " " : "") + numbers;
    const auto fits = static_cast<size_t>(std::max<int64_t>(space - static_cast<int64_t>(head.size()), 0));
    std::printf("\r\033[K%s%s%s", head.c_str(), bar.c_str(), width > 0 ? tail.c_str() : tail.substr(0, fits).c_str());
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
  if (bar_open_) std::printf("\r\033[K");
  bar_open_ = false;
  std::printf("%s  %s  test accuracy %6.2f %%  %s\n", epoch_of(epoch).c_str(), averages().c_str(), 100 * test_accuracy, speed().c_str());
  std::fflush(stdout);
  epoch_images_ = epoch_correct_ = 0;
  epoch_loss_ = 0;
}

}  // namespace classify
