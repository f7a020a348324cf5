#include "run.hpp"

#include <scry/scry.hpp>
#include <cmath>
#include <cstdio>
#include <arguments.hpp>
#include <nlohmann/json.hpp>

#include "score.hpp"
#include "stop.hpp"
#include "words.hpp"

namespace classify {
namespace {

using nlohmann::json;
using scry::Tensor;

json to_json(const TrainOptions& o) {
  return {{"data", o.data}, {"model", o.model}, {"optimizer", o.optimizer}, {"lr", o.lr}, {"epochs", o.epochs}, {"batch", o.batch}, {"seed", o.seed}};
}

int64_t whole_number(const json& saved, const char* key, int64_t low, int64_t high) {
  const json& value = saved.at(key);
  const bool fits = value.is_number_integer() && value >= low && value <= high;
  scry::require(fits, key, " is ", value.dump(), "; expected a whole number from ", low, " to ", high);
  return value.get<int64_t>();
}

void from_json(const json& saved, TrainOptions& o) {
  saved.at("data").get_to(o.data);
  saved.at("model").get_to(o.model);
  saved.at("optimizer").get_to(o.optimizer);
  saved.at("lr").get_to(o.lr);
  o.epochs = whole_number(saved, "epochs", 1, most_epochs);
  o.batch = whole_number(saved, "batch", 1, most_batch);
  o.seed = whole_number(saved, "seed", 0, INT64_MAX);
}

// Options that were given and are others than the run's. Only what doesn't change the way so far may: where the images lie now, and how many
// epochs there are to be.
void refuse_contradictions(const TrainOptions& given, const TrainOptions& saved) {
  const json mine = to_json(given), theirs = to_json(saved);
  for (const auto& item : mine.items())
    if (given.given.contains(item.key()) && item.key() != "epochs" && item.key() != "data" && item.value() != theirs[item.key()])
      throw arguments::UsageError("--" + item.key() + " " + item.value().dump() + " contradicts --resume: the run in " + given.out + " has " +
                                  theirs[item.key()].dump() + "; leave the option out, or begin a new run with another --out");
}

ImageKind kind_of(const scry::data::ImageDataset& data) {
  const auto statistics = scry::data::channel_statistics(data.images);
  ImageKind kind{data.images.size(1), data.images.size(2), data.images.size(3), data.classes, statistics.mean, statistics.std};
  for (double& std : kind.std) std = std > 0 ? std : 1;  // a channel that is the same everywhere
  return kind;
}

}  // namespace

SavedRun read_run(const TrainOptions& given) {
  const std::string path = checkpoint_path(given.out);
  scry::require(scry::io::is_file(path), "--resume: there is no run in ", given.out, " to go on with; leave --resume out to begin one");
  SavedRun saved{given, {}, {}, scry::io::load_safetensors(path)};
  const auto found = saved.file.metadata.find("training");
  scry::require(found != saved.file.metadata.end(), path, ": this file doesn't hold a run of 'classify train'");
  try {
    const json training = json::parse(found->second);
    from_json(training.at("options"), saved.options);
    saved.position = {whole_number(training, "epoch", 0, most_epochs), whole_number(training, "batch", 0, INT64_MAX)};
  } catch (const json::exception& error) {
    scry::fail(path, ": the description of the run is damaged: ", error.what());
  } catch (const scry::Error& error) {
    throw scry::Error(path + ": the description of the run is damaged", error);
  }
  saved.kind = read_kind(path, saved.file.metadata);
  refuse_contradictions(given, saved.options);
  if (given.given.contains("data")) saved.options.data = given.data;
  if (given.given.contains("epochs")) saved.options.epochs = given.epochs;
  const int64_t behind = saved.position.epoch + (saved.position.batch > 0 ? 1 : 0);
  if (saved.options.epochs < behind)
    throw arguments::UsageError(scry::text("--epochs ", saved.options.epochs, ": the run in ", given.out, " is in epoch ", behind,
                                           " already; ask for at least ", behind, " in all"));
  return saved;
}

Run::Run(TrainOptions options, scry::data::ImageDataset training, const scry::data::ImageDataset& test)
    : options_(std::move(options)),
      kind_(kind_of(training)),
      loader_(std::move(training), {.batch = options_.batch, .seed = static_cast<uint64_t>(options_.seed), .mean = kind_.mean, .std = kind_.std}),
      test_loader_(test, {.batch = 500, .shuffle = false, .mean = kind_.mean, .std = kind_.std}),
      model_(make_model(options_.model, kind_)),
      optimizer_(scry::optim::make_optimizer(options_.optimizer, scry::optim::Registry{model_.network}, {{"lr", options_.lr}})),
      progress_(options_.epochs, loader_.batches()) {}

void Run::restore(SavedRun saved) {
  const std::string path = checkpoint_path(options_.out);
  scry::require(kind_ == saved.kind, options_.data, ": these aren't the images that the run in ", options_.out,
                " was begun with; name their folder with --data");
  const auto& [epoch, batch] = saved.position;
  scry::require(batch < loader_.batches(), path, ": it stands at batch ", batch, " of an epoch of ", loader_.batches(),
                "; was the run begun with more images?");
  scry::optim::restore(optimizer_, {std::move(saved.file.tensors), std::move(saved.file.metadata)}, path);
  at_ = saved.position;
  progress_.skip(epoch * loader_.batches() + batch);
}

void Run::save() const {
  scry::io::Metadata metadata = describe(model_, kind_);
  metadata["training"] = json{{"options", to_json(options_)}, {"epoch", at_.epoch}, {"batch", at_.batch}}.dump();
  scry::optim::save_checkpoint(checkpoint_path(options_.out), optimizer_, metadata);
}

void Run::introduce() const {
  std::printf("%s of %lld parameters on %s: %lld images to learn from, %lld to test with\n%s\n", options_.model.c_str(),
              static_cast<long long>(model_.network.parameter_count()), options_.data.c_str(), static_cast<long long>(loader_.size()),
              static_cast<long long>(test_loader_.size()), optimizer_.expression().c_str());
  if (options_.resume)
    std::printf("going on after %lld epochs and %lld batches\n", static_cast<long long>(at_.epoch), static_cast<long long>(at_.batch));
  std::fflush(stdout);
}

bool Run::all_epochs() {
  progress_.resume();
  while (at_.epoch < options_.epochs) {
    if (!one_epoch()) return false;
    progress_.pause();
    const scry::optim::Evaluation slow_weights = optimizer_.evaluation();
    const Score score = evaluate(model_, test_loader_);
    if (stop_signal()) return false;
    const double loss = progress_.mean_loss();
    progress_.epoch_done(at_.epoch, score.accuracy());
    if (!std::isfinite(loss) && !std::exchange(warned_, true))
      std::fprintf(stderr, "classify: the loss is no number any more, so nothing is learnt; try again with a smaller --lr\n");
    progress_.resume();
  }
  progress_.pause();
  return true;
}

bool Run::one_epoch() {
  loader_.set_state({at_.epoch, at_.batch});
  for (const auto& [images, labels] : loader_) {
    if (stop_signal()) return false;
    optimizer_.zero_grad();
    const Tensor logits = model_.forward(images);
    const Tensor loss = scry::cross_entropy(logits, labels);
    loss.backward();
    optimizer_.step();
    ++at_.batch;
    progress_.batch_done(at_.epoch + 1, at_.batch, images.size(0), count_correct(logits, labels), loss.item());
  }
  at_ = {at_.epoch + 1, 0};
  save();
  return true;
}

// The slow weights go into the network, which is written and tested a last time. The checkpoint stays as training left it, so that it can go on
// for more epochs as if it had never ended.
bool Run::finish() {
  optimizer_.finish();
  const Score score = evaluate(model_, test_loader_);
  if (stop_signal()) return false;
  scry::nn::save(model_.network, model_path(options_.out), describe(model_, kind_));
  print_score(score, kind_.classes);
  std::printf("network     %s\ncheckpoint  %s\n", model_path(options_.out).c_str(), checkpoint_path(options_.out).c_str());
  if (options_.json) print_json(score.accuracy(), score.uncertainty());
  return true;
}

void Run::print_json(double accuracy, double uncertainty) const {
  const json line = {{"test_accuracy", accuracy},
                     {"test_accuracy_std", uncertainty},
                     {"train_seconds", progress_.seconds()},
                     {"images_per_second", progress_.images_per_second()},
                     {"epochs", options_.epochs},
                     {"parameters", model_.network.parameter_count()},
                     {"model", options_.model},
                     {"optimizer", optimizer_.expression()},
                     {"seed", options_.seed},
                     {"network", model_path(options_.out)},
                     {"checkpoint", checkpoint_path(options_.out)}};
  // File names may be any bytes, JSON mayn't.
  std::printf("%s\n", line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
}

void Run::leave() {
  progress_.leave();
  std::printf("stopped; go on with: %s train --resume --out=%s%s\n", options_.again.c_str(), shell_quoted(options_.out).c_str(),
              options_.json ? " --json" : "");
}

}  // namespace classify
