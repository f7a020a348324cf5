#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace classify {

struct TrainOptions {
  std::string data = "fashion-mnist";
  std::string model = "cnn";
  std::string optimizer = "lookahead(adam)";
  double lr = 1e-3;
  int64_t epochs = 8;
  int64_t batch = 64;
  int64_t seed = 0;
  std::string out = "runs/classify";
  bool json = false;
  bool resume = false;

  std::set<std::string> given = {};  ///< names of the options above that the command line has; --resume fills in the others
  std::string again = "classify";    ///< how the program was called, for a shell
};

/// The most that the command line and a checkpoint may ask for.
constexpr int64_t most_epochs = 1'000'000, most_batch = 1'000'000;

/// `classify train`: returns the exit status; 128 and the signal's number where one stopped it, so 130 after Ctrl-C.
int train(TrainOptions options);

}  // namespace classify
