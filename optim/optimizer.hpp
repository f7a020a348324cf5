#pragma once

#include <scry/optim/registry.hpp>

namespace scry::optim {

class Engine;
class UpdateRule;

/// While one lives, the model has the weights that the optimizer's wrapper averages (Lookahead's slow ones), swapped in place with those that
/// it trains, and steps are refused. Further ones inside it change nothing. Where nothing is averaged, it only refuses steps.
class [[nodiscard]] Evaluation {
 public:
  explicit Evaluation(std::shared_ptr<Engine> engine);
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

 private:
  std::shared_ptr<Engine> engine_;
};

/// Steps the parameters of a registry by their gradients. Every optimizer is one of these with options of its own, so a function takes any of
/// them by reference, and a wrapper by value. It can be moved, not copied; a registry has one at a time.
class Optimizer {
 public:
  /// An optimizer by a rule (see rule.hpp and elementwise.hpp).
  Optimizer(const Registry& registry, std::unique_ptr<UpdateRule> rule);

  /// Changes the parameters that have a gradient; others are left alone (a wrapper may still move them) and their step doesn't count.
  /// Returns whether it did: a step without any gradient, or one that a wrapper skips, changes and counts nothing.
  bool step();
  /// As Registry::zero_grad.
  void zero_grad() const { registry().zero_grad(); }
  /// Steps that changed something.
  int64_t steps() const;
  /// The parameters that require a gradient and had none in the last step.
  std::vector<std::string> skipped() const;

  /// The learning rate; a wrapper's is that of the optimizer inside.
  double lr() const { return get("lr"); }
  void set_lr(double lr) { set("lr", lr); }
  /// An option by its name, of the outermost rule that has it; `set` holds from the next step on. Flags are 0 or 1, choices count from 0.
  double get(std::string_view option) const;
  void set(std::string_view option, double value);
  /// What it is, with the options given at construction, in the words that make_optimizer understands: "lookahead(adam(lr=0.001), k=5, alpha=0.5)".
  std::string expression() const;

  /// The averaged weights in the model, as long as the result lives.
  Evaluation evaluation() const { return Evaluation(engine_); }
  /// Leaves the averaged weights in the model for good, and starts a window there. Without a wrapper that averages, nothing changes.
  void finish();

  const Registry& registry() const;
  Engine& engine() const;

 protected:
  /// `inner` with a rule around its own; moves from it when nothing can fail any more.
  Optimizer(Optimizer&& inner, std::unique_ptr<UpdateRule> wrapper);

 private:
  std::shared_ptr<Engine> engine_;
};

}  // namespace scry::optim
