#include "train.hpp"

#include <scry/core/io/file.hpp>
#include <scry/scry.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "model.hpp"
#include "progress.hpp"
#include "score.hpp"

namespace classify {
namespace {

using nlohmann::json;
using scry::Tensor;

// Set by Ctrl-C, looked at after every batch.
std::atomic<bool> stop{false};
extern "C" void on_interrupt(int) { stop = true; }

// What a resumed run needs to know of the one before.
json to_json(const TrainOptions& o) {
  return {{"data", o.data}, {"model", o.model}, {"optimizer", o.optimizer}, {"lr", o.lr}, {"epochs", o.epochs}, {"batch", o.batch}, {"seed", o.seed}};
}

void from_json(const json& saved, TrainOptions& o) {
  saved.at("data").get_to(o.data);
  saved.at("model").get_to(o.model);
  saved.at("optimizer").get_to(o.optimizer);
  saved.at("lr").get_to(o.lr);
  saved.at("batch").get_to(o.batch);
  saved.at("seed").get_to(o.seed);
}

struct Position {
  int64_t epoch = 0, batch = 0;  // `batch` batches of the epoch, counted from 0, are done
};

// The options and the position that a checkpoint's metadata hold.
Position read_position(const std::string& path, const scry::io::Metadata& metadata, TrainOptions& options) {
  const auto found = metadata.find("training");
  scry::require(found != metadata.end(), path, ": this file doesn't hold a run of 'classify train'");
  try {
    const json saved = json::parse(found->second);
    from_json(saved.at("options"), options);
    return {saved.at("epoch"), saved.at("batch")};
  } catch (const json::exception& error) {
    scry::fail(path, ": the description of the run is damaged: ", error.what());
  }
}

void check_usage(const TrainOptions& options) {
  if (!is_architecture(options.model)) throw UsageError("--model: there is no '" + options.model + "'; there are " + architectures());
  try {
    scry::optim::check_optimizer(options.optimizer, {{"lr", options.lr}});
  } catch (const scry::Error& error) {
    throw UsageError(std::string("--optimizer: ") + error.what());
  }
}

ImageKind kind_of(const scry::data::ImageDataset& data) {
  const auto statistics = scry::data::channel_statistics(data.images);
  ImageKind kind{data.images.size(1), data.images.size(2), data.images.size(3), data.classes, statistics.mean, statistics.std};
  for (double& std : kind.std) std = std > 0 ? std : 1;  // a channel that is the same everywhere
  return kind;
}

class Run {
 public:
  Run(TrainOptions options, Position from, scry::data::ImageDataset training, const scry::data::ImageDataset& test)
      : options_(std::move(options)),
        kind_(kind_of(training)),
        at_(from),
        loader_(std::move(training), {.batch = options_.batch, .seed = static_cast<uint64_t>(options_.seed), .mean = kind_.mean, .std = kind_.std}),
        test_loader_(test, {.batch = 500, .shuffle = false, .mean = kind_.mean, .std = kind_.std}),
        model_(make_model(options_.model, kind_)),
        optimizer_(scry::optim::make_optimizer(options_.optimizer, scry::optim::Registry{model_.network}, {{"lr", options_.lr}})),
        progress_(options_.epochs, loader_.batches(), from.epoch * loader_.batches() + from.batch) {}

  void restore() { scry::optim::load_checkpoint(checkpoint_path(options_.out), optimizer_); }

  void save() const {
    scry::io::Metadata metadata = describe(model_, kind_);
    metadata["training"] = json{{"options", to_json(options_)}, {"epoch", at_.epoch}, {"batch", at_.batch}}.dump();
    scry::optim::save_checkpoint(checkpoint_path(options_.out), optimizer_, metadata);
  }

  // False where Ctrl-C came in between.
  bool all_epochs() {
    progress_.resume();
    while (at_.epoch < options_.epochs) {
      if (!one_epoch()) return false;
      progress_.pause();
      const scry::optim::Evaluation slow_weights = optimizer_.evaluation();
      const Score score = evaluate(model_, test_loader_, stop);
      if (stop) return false;
      progress_.epoch_done(at_.epoch, score.accuracy());
      progress_.resume();
    }
    progress_.pause();
    return true;
  }

  // The slow weights stay in the network, which is written and tested a last time.
  void finish() {
    optimizer_.finish();
    scry::nn::save(model_.network, model_path(options_.out), describe(model_, kind_));
    const Score score = evaluate(model_, test_loader_, stop);
    print_score(score, kind_.classes);
    std::printf("network      %s\ncheckpoint   %s\n", model_path(options_.out).c_str(), checkpoint_path(options_.out).c_str());
    if (!options_.json) return;
    const json line = {{"test_accuracy", score.accuracy()},
                       {"test_accuracy_std", score.uncertainty()},
                       {"train_seconds", progress_.seconds()},
                       {"images_per_second", progress_.images_per_second()},
                       {"epochs", options_.epochs},
                       {"parameters", model_.network.parameter_count()},
                       {"model", options_.model},
                       {"optimizer", optimizer_.expression()},
                       {"seed", options_.seed},
                       {"network", model_path(options_.out)}};
    std::printf("%s\n", line.dump().c_str());
  }

  void leave_progress() { progress_.leave(); }
  const Model& model() const { return model_; }
  std::string expression() const { return optimizer_.expression(); }

 private:
  bool one_epoch() {
    loader_.set_state({at_.epoch, at_.batch});
    for (const auto& [images, labels] : loader_) {
      optimizer_.zero_grad();
      const Tensor logits = model_.forward(images);
      const Tensor loss = scry::cross_entropy(logits, labels);
      loss.backward();
      optimizer_.step();
      ++at_.batch;
      progress_.batch_done(at_.epoch + 1, at_.batch, images.size(0), count_correct(logits, labels), loss.item());
      if (stop) return false;
    }
    at_ = {at_.epoch + 1, 0};
    save();
    return true;
  }

  TrainOptions options_;
  ImageKind kind_;
  Position at_;
  scry::data::Loader loader_, test_loader_;
  Model model_;
  scry::optim::Optimizer optimizer_;
  Progress progress_;
};

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  scry::require(scry::io::is_folder(path), "--out ", path, ": can't make this folder: ", error ? error.message() : "something else has its name");
}

}  // namespace

int train(TrainOptions options) {
  Position from;
  if (options.resume) {
    const std::string path = checkpoint_path(options.out);
    const int64_t epochs = options.epochs;
    from = read_position(path, scry::io::load_safetensors(path).metadata, options);
    options.epochs = epochs;
  }
  check_usage(options);
  const auto training = scry::data::load_dataset(options.data, scry::data::Split::train);
  const auto test = scry::data::load_dataset(options.data, scry::data::Split::test);
  make_folder(options.out);

  scry::manual_seed(static_cast<uint64_t>(options.seed));
  Run run(options, from, training, test);
  if (options.resume)
    run.restore();
  else
    run.save();  // now, so that a folder which can't be written is found before the work is done
  std::printf("%s of %lld parameters on %s: %lld images to learn from, %lld to test with\n%s\n", options.model.c_str(),
              static_cast<long long>(run.model().network.parameter_count()), options.data.c_str(), static_cast<long long>(training.size()),
              static_cast<long long>(test.size()), run.expression().c_str());
  std::fflush(stdout);

  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const bool done = run.all_epochs();
  if (done) {
    std::signal(SIGINT, SIG_DFL);
    run.finish();
    return 0;
  }
  run.leave_progress();
  run.save();
  std::printf("stopped; go on with: classify train --resume --out '%s' --epochs %lld\n", options.out.c_str(), static_cast<long long>(options.epochs));
  return 130;
}

}  // namespace classify
