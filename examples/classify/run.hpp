#pragma once

#include <scry/core/data/loader.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/optim/optimizer.hpp>

#include "model.hpp"
#include "progress.hpp"
#include "train.hpp"

namespace classify {

/// How far a run has come: `batch` batches of epoch `epoch`, counted from 0, are done.
struct Position {
  int64_t epoch = 0, batch = 0;
};

/// A run as its checkpoint has it.
struct SavedRun {
  TrainOptions options;
  Position position;
  ImageKind kind;
  scry::io::SafetensorsFile file;
};
/// Reads the checkpoint in a folder. `options` fill in what isn't saved.
SavedRun read_run(const TrainOptions& options);

/// One training run: the network, its optimizer, the data, and how far it has come.
class Run {
 public:
  Run(TrainOptions options, scry::data::ImageDataset training, const scry::data::ImageDataset& test);

  /// Goes on where `saved` stopped; an Error if that was with other images or another network.
  void restore(SavedRun saved);
  void save() const;

  /// The lines before the first epoch.
  void introduce() const;
  /// False where a signal to stop came in between: then save() what has been done since the last epoch.
  bool all_epochs();
  /// False where a signal to stop came in between: the checkpoint of all_epochs() holds, and nothing is to be saved any more.
  bool finish();
  /// Says how to go on.
  void leave();

 private:
  bool one_epoch();
  void print_json(double accuracy, double uncertainty) const;

  TrainOptions options_;
  ImageKind kind_;
  Position at_;
  scry::data::Loader loader_, test_loader_;
  Model model_;
  scry::optim::Optimizer optimizer_;
  Progress progress_;
  bool warned_ = false;
};

}  // namespace classify
