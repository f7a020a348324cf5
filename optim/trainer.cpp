#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/trainer.hpp>

namespace scry::optim {

Trainer::Trainer(Optimizer& optimizer, int64_t epochs) : optimizer_(optimizer), training_{.epochs = epochs} {
  require(epochs >= 0, "trainer: epochs is ", epochs);
}

bool Trainer::train(FunctionRef<Tensor()> loss_of, const FitOptions& options) {
  optimizer_.zero_grad();
  const Tensor loss = loss_of();
  loss.backward();
  optimizer_.step();
  training_.loss = loss.item();
  loss_sum_ += training_.loss;
  ++training_.batch;
  for (Callback* each : options.callbacks) each->batch_done(training_);
  return !training_.stop;
}

void Trainer::end_epoch(const FitOptions& options) {
  {
    const Evaluation averaged_weights = optimizer_.evaluation();
    training_.metrics = options.evaluate();
  }
  if (training_.batch > 0) training_.metrics["loss"] = loss_sum_ / static_cast<double>(training_.batch);
  ++training_.epoch;
  training_.batch = 0;
  loss_sum_ = 0;
  for (Callback* each : options.callbacks) each->epoch_done(training_);
}

std::vector<NamedTensor> Trainer::state_dict() const {
  const auto integer = [](int64_t value) { return tensor(std::vector{value}, Shape{}); };
  return {{"epoch", integer(training_.epoch)}, {"batch", integer(training_.batch)}, {"loss_sum", full({}, loss_sum_, f64)}};
}

void Trainer::load_state_dict(const std::vector<NamedTensor>& state) {
  const int64_t epoch = state_integer("trainer", state, "epoch"), batch = state_integer("trainer", state, "batch");
  require(epoch >= 0 && batch >= 0, "trainer: epoch is ", epoch, " and batch ", batch, " in the saved state");
  loss_sum_ = state_number("trainer", state, "loss_sum");
  training_.epoch = epoch;
  training_.batch = batch;
}

}  // namespace scry::optim
