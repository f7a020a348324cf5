#include "train.hpp"

#include <scry/core/io/file.hpp>
#include <scry/scry.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <arguments.hpp>

#include "run.hpp"
#include "stop.hpp"
#include "words.hpp"

namespace classify {
namespace {

using arguments::did_you_mean;
using arguments::UsageError;
using scry::data::ImageDataset;

void check_usage(const TrainOptions& options) {
  const auto known = architectures();
  if (std::find(known.begin(), known.end(), options.model) == known.end())
    throw UsageError("--model: there is no '" + options.model + "'" + did_you_mean(options.model, known) + "; there are " + joined(known));
  try {
    scry::optim::check_optimizer(options.optimizer, {{"lr", options.lr}});
  } catch (const scry::Error& error) {
    throw UsageError(std::string("--optimizer: ") + error.what());
  }
  // The checkpoint keeps it as text.
  if (!is_utf8(options.data)) throw UsageError("--data: the folder's name isn't UTF-8; rename it, or make a link to it");
}

void check_splits(const std::string& name, const ImageDataset& training, const ImageDataset& test) {
  for (const ImageDataset* each : {&training, &test}) {
    scry::require(each->images.numel() > 0, name, ": the ", each == &test ? "test" : "training", " split is empty, ", each->images.shape());
    for (int axis = 1; axis < 4; ++axis)
      scry::require(each->images.size(axis) == training.images.size(axis), name, ": the test images, ", each->images.shape(),
                    ", are of another size than the training images, ", training.images.shape());
  }
}

// The folder of a run; taken away again, with those above it that weren't there before, unless it is kept.
class OutFolder {
 public:
  explicit OutFolder(const std::string& path) : path_(path) {
    std::error_code ignored;
    for (std::filesystem::path each = path; !each.empty() && !std::filesystem::exists(each, ignored); each = each.parent_path())
      made_.push_back(each);
  }
  OutFolder(const OutFolder&) = delete;
  OutFolder& operator=(const OutFolder&) = delete;
  ~OutFolder() {
    std::error_code ignored;
    for (const std::filesystem::path& each : made_) std::filesystem::remove(each, ignored);
  }
  void make() const {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    scry::require(scry::io::is_folder(path_), "--out ", path_, ": can't make this folder: ", error ? error.message() : "something else has its name",
                  "; choose another");
  }
  void keep() { made_.clear(); }

 private:
  std::string path_;
  std::vector<std::filesystem::path> made_;  // innermost first
};

// The first checkpoint is written before the work is done, so that a folder which can't be written is found now.
void begin(const Run& run, const std::string& out) {
  OutFolder folder(out);
  folder.make();
  const bool replaces = scry::io::is_file(checkpoint_path(out));
  run.save();
  folder.keep();
  // An earlier run's network would pass for this one's.
  std::error_code ignored;
  if (std::filesystem::remove(model_path(out), ignored) || replaces) std::printf("replacing the run that was in %s\n", out.c_str());
}

}  // namespace

int train(TrainOptions options) {
  note_stop_signals();
  while (options.out.size() > 1 && options.out.back() == '/') options.out.pop_back();
  std::optional<SavedRun> saved;
  if (options.resume) {
    saved = read_run(options);
    options = saved->options;
  }
  check_usage(options);
  ImageDataset training = scry::data::load_dataset(options.data, scry::data::Split::train);
  const ImageDataset test = scry::data::load_dataset(options.data, scry::data::Split::test);
  check_splits(options.data, training, test);
  if (stop_signal() && !saved) {
    std::printf("stopped before training began; nothing was written\n");
    return 128 + stop_signal();
  }

  scry::manual_seed(static_cast<uint64_t>(options.seed));
  Run run(options, std::move(training), test);
  if (saved)
    run.restore(*std::exchange(saved, {}));
  else
    begin(run, options.out);
  run.introduce();
  if (!run.all_epochs())
    run.save();
  else if (run.finish())
    return 0;
  run.leave();
  return 128 + stop_signal();
}

}  // namespace classify
