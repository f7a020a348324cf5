#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/json.hpp>
#include <scry/optim/trainer_callbacks.hpp>
#include <fstream>

namespace scry::optim {
namespace {

double metric_of(const Training& training, const std::string& name) {
  const auto found = training.metrics.find(name);
  if (found != training.metrics.end()) return found->second;
  std::string known;
  for (const auto& [each, value] : training.metrics) append_text(known, text(known.empty() ? "" : ", ", each));
  fail("trainer: there is no metric '", name, "'; there are: ", known.empty() ? "none" : known);
}

}  // namespace

void PrintProgress::epoch_done(Training& training) {
  out_ << "epoch " << training.epoch << " of " << training.epochs;
  std::string_view separator = ": ";
  for (const auto& [name, value] : training.metrics) {
    out_ << separator << name << ' ' << value;
    separator = ", ";
  }
  out_ << std::endl;
}

void LogMetrics::epoch_done(Training& training) {
  std::ofstream file(path_, std::ios::app);
  file << to_json(training.epoch, training.metrics) << std::endl;
  require(file.good(), path_, ": can't be written; does its folder exist?");
}

void StepPlateau::epoch_done(Training& training) { plateau_.step(metric_of(training, metric_)); }

EarlyStopping::EarlyStopping(int64_t patience, std::string metric, MetricMode mode, double min_delta)
    : patience_(patience), metric_(std::move(metric)), best_(mode, min_delta) {
  require(patience >= 0, "early stopping: patience is ", patience, "; expected at least 0");
}

void EarlyStopping::epoch_done(Training& training) {
  bad_ = best_.improves(metric_of(training, metric_)) ? 0 : bad_ + 1;
  training.stop = training.stop || bad_ > patience_;
}

std::vector<NamedTensor> EarlyStopping::state_dict() const {
  auto state = best_.state_dict();
  state.push_back({"bad_epochs", tensor(std::vector{bad_}, Shape{})});
  return state;
}

void EarlyStopping::load_state_dict(const std::vector<NamedTensor>& state) {
  const int64_t bad = state_integer("early stopping", state, "bad_epochs");
  best_.load_state_dict(state);
  bad_ = bad;
}

SaveCheckpoints::SaveCheckpoints(Optimizer& optimizer, SaveCheckpointsOptions options)
    : optimizer_(optimizer), options_(std::move(options)), best_(options_.mode) {
  require(options_.every >= 0, "checkpoints: every is ", options_.every, "; expected at least 0");
}

void SaveCheckpoints::batch_done(Training& training) {
  if (!options_.last.empty() && options_.every > 0 && training.batch % options_.every == 0)
    save_checkpoint(options_.last, optimizer_, {}, options_.parts);
}

void SaveCheckpoints::epoch_done(Training& training) {
  const bool best = !options_.best.empty() && best_.improves(metric_of(training, options_.metric));
  if (best) save_checkpoint(options_.best, optimizer_, {}, options_.parts);
  if (!options_.last.empty()) save_checkpoint(options_.last, optimizer_, {}, options_.parts);
}

}  // namespace scry::optim
