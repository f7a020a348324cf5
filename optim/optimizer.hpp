#pragma once

#include <scry/core/function_ref.hpp>
#include <scry/core/random.hpp>
#include <scry/optim/registry.hpp>
#include <optional>

namespace scry::optim {

class Engine;
class UpdateRule;

/// An option by its name, and a value for it. Flags are 0 or 1, choices count from 0.
struct OptionValue {
  std::string name;
  double value;
};

/// Parameters by their names, with options of their own: {"*.bias", {{"weight_decay", 0}}}.
struct Group {
  std::string pattern;  ///< * stands for any characters, dots too, ? for one
  std::vector<OptionValue> options;
};

/// While one lives, the model has the weights that the optimizer's wrapper averages (Lookahead's slow ones), swapped in place with those that
/// it trains, and steps are refused. Further ones inside it change nothing. Where nothing is averaged, it only refuses steps.
class [[nodiscard]] Evaluation {
 public:
  explicit Evaluation(std::shared_ptr<Engine> engine);
  Evaluation(std::shared_ptr<Engine> engine, FunctionRef<void()> recompute);
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

 private:
  std::shared_ptr<Engine> engine_;
  std::vector<Tensor> buffers_;  // as they are in training, by row, and the random state
  std::optional<Generator> random_;
};

/// Steps the parameters of a registry by their gradients. Every optimizer is one of these with options of its own, so a function takes any of
/// them by reference, and a wrapper by value. It can be moved, not copied; a registry has one at a time.
class Optimizer {
 public:
  /// An optimizer by a rule (see rule.hpp and elementwise.hpp).
  Optimizer(const Registry& registry, std::unique_ptr<UpdateRule> rule, const std::vector<Group>& groups = {});

  /// Changes the parameters that have a gradient; others are left alone (a wrapper may still move them) and their step doesn't count.
  /// Returns whether it did: without any gradient, or where a wrapper skips it, nothing changes. Gradients that aren't finite pass; see LossScale.
  bool step();
  /// As Registry::zero_grad.
  void zero_grad() const { registry().zero_grad(); }
  /// Steps that changed something.
  int64_t steps() const;
  /// The parameters that require a gradient and had none in the last step. The first time that a step leaves one alone, it is reported by name on
  /// the standard error output, or to `reporter`; null keeps quiet.
  std::vector<std::string> skipped() const;
  void report_skipped_to(void (*reporter)(const std::string& message)) const;

  /// The learning rate; a wrapper's is that of the optimizer inside.
  double lr() const { return get("lr"); }
  void set_lr(double lr) { set("lr", lr); }
  /// An option by its name, of the outermost rule that has it, or of one rule, as in "lookahead/k". Flags are 0 or 1, choices count from 0.
  /// `group` is a group's pattern: then the option as it is for its parameters.
  double get(std::string_view option, std::string_view group = {}) const;
  /// Changes it, from the next step on; in a group, for good: it no longer follows. Out of range it is an Error, and nothing has changed.
  void set(std::string_view option, double value, std::string_view group = {});
  /// Gives the parameters whose names match, now or when they are added, options of their own, of this optimizer or of any inside it. What the
  /// group doesn't name follows the optimizer's, also when that changes later. Lookahead begins a window for them, from their weights now.
  /// A pattern that matches nothing, or a parameter of another group, no options, or one that is wrong: an Error, and nothing has changed.
  void add_group(const std::string& pattern, const std::vector<OptionValue>& options);
  /// The groups' patterns, in the order in which they were added.
  std::span<const std::string> groups() const;
  /// What it is, with the options given at construction, in the words that make_optimizer understands: "lookahead(adam(lr=0.001), k=5, alpha=0.5)".
  /// Groups aren't part of it.
  std::string expression() const;

  /// The averaged weights in the model, as long as the result lives.
  Evaluation evaluation() const { return Evaluation(engine_); }
  /// The same, with buffers that fit these weights: `recompute` runs data through the model, as batch normalisation's statistics want it.
  /// Buffers and the random state are put back when the result ends, so that training takes the same way.
  Evaluation evaluation(FunctionRef<void()> recompute) const { return Evaluation(engine_, recompute); }
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
