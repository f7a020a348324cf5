#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace scry::test {

struct SpawnOptions {
  std::string folder = {};   ///< to run in
  int columns = 0;           ///< if not 0, standard output is a terminal so wide
  std::string out = {};      ///< if not empty, standard output goes to this file
  int64_t largest_file = 0;  ///< if not 0, writing further than so many bytes fails
};

/// How a program ended.
struct Result {
  int status = -1;  ///< exit status, or minus the signal that ended it
  std::string out, err;
  double seconds = 0;  ///< from signal(), or else the start, to the end
};

/// A program that was started as a user's shell would, with its output caught. One that outlives its time limit is killed, and fails the test.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command, const SpawnOptions& options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t id() const { return id_; }
  void signal(int number);
  /// Waits until standard output has this text; false where the program ended before.
  bool wait_for(std::string_view text);
  Result finish();

 private:
  using Clock = std::chrono::steady_clock;
  [[noreturn]] void become(const std::vector<std::string>& command, const SpawnOptions& options, int out, int err) const;
  bool read_more();
  void kill_if_late();

  pid_t id_ = -1;
  int out_ = -1, err_ = -1;  // our ends; -1 once the program has closed its own
  Clock::time_point start_;
  Result result_;
};

}  // namespace scry::test
