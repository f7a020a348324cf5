#pragma once

#include <scry/core/function_ref.hpp>
#include <scry/optim/optimizer.hpp>
#include <map>

namespace scry::optim {

/// What an epoch is judged by: "loss", its mean over the batches, and whatever the evaluation measures.
using Metrics = std::map<std::string, double>;

/// Where training stands.
struct Training {
  int64_t epochs;     ///< that there are to be
  int64_t epoch = 0;  ///< that are done
  int64_t batch = 0;  ///< that are done of the next one
  double loss = 0;    ///< of the last batch
  Metrics metrics{};  ///< of the last epoch that is done
  bool stop = false;  ///< set by a callback: training ends here
};

/// Something that looks on. Callbacks are called in the order in which they were given.
class Callback {
 public:
  virtual ~Callback() = default;
  /// The optimizer has stepped, or skipped its step, after another batch.
  virtual void batch_done(Training&) {}
  /// Another epoch is done and evaluated.
  virtual void epoch_done(Training&) {}
};

inline constexpr auto no_metrics = [] { return Metrics{}; };

struct FitOptions {
  FunctionRef<Metrics()> evaluate = no_metrics;  ///< measures after each epoch, with the weights to ship in the model
  std::vector<Callback*> callbacks = {};
};

/// The loop that one would write by hand:
///
///     optim::Trainer trainer{optimizer, 10};
///     trainer.fit(loader, [&](const auto& batch) { return cross_entropy(model(batch.images), batch.labels); },
///                 {.evaluate = [&] { return optim::Metrics{{"accuracy", accuracy_of(model, test)}}; }, .callbacks = {&scheduled, &saved}});
///
/// Gradient accumulation, clipping and averages of weights are the optimizer's wrappers. It only refers to the optimizer. As a part of a checkpoint,
/// beside the loader, it goes on in the middle of an epoch.
class Trainer {
 public:
  Trainer(Optimizer& optimizer, int64_t epochs);

  /// For each batch of `batches` (any range; a loop over it is an epoch): clears gradients, calls `loss_of(batch)` for a tensor of one element, goes
  /// backward, steps. `evaluate` is called inside an evaluation scope: with Lookahead's slow weights, or averaged ones. Ends after all epochs or
  /// when a callback sets `stop`; called again, it goes on.
  template <class Batches, class LossOf>
  void fit(Batches& batches, LossOf&& loss_of, const FitOptions& options = {}) {
    training_.stop = false;
    while (!training_.stop && training_.epoch < training_.epochs) {
      for (const auto& batch : batches)
        if (!train([&] { return loss_of(batch); }, options)) return;
      end_epoch(options);
    }
  }

  const Training& training() const { return training_; }
  std::vector<NamedTensor> state_dict() const;
  void load_state_dict(const std::vector<NamedTensor>& state);

 private:
  // Whether to go on.
  bool train(FunctionRef<Tensor()> loss_of, const FitOptions& options);
  void end_epoch(const FitOptions& options);

  Optimizer& optimizer_;
  Training training_;
  double loss_sum_ = 0;
};

}  // namespace scry::optim
