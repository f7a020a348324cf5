#pragma once

#include <scry/core/data/loader.hpp>

#include "model.hpp"

namespace classify {

/// How a network did on a data set.
struct Score {
  std::vector<int64_t> correct, total;  ///< by class
  int64_t all_correct() const;
  int64_t all() const;
  double accuracy() const { return static_cast<double>(all_correct()) / static_cast<double>(all()); }
  /// One standard deviation of the accuracy, of so many independent draws.
  double uncertainty() const;
};

/// The number of rows of logits [N, C] whose largest element is the label's.
int64_t count_correct(const scry::Tensor& logits, const scry::Tensor& labels);

/// Runs the network, in evaluation, over the whole data set. Ends early, with a partial score, once there is a stop_signal().
Score evaluate(const Model& model, scry::data::Loader& loader);

/// The last lines of a run: accuracy with its uncertainty, and by class; `classes` has a name for each of the score's.
void print_score(const Score& score, const std::vector<std::string>& classes);

}  // namespace classify
