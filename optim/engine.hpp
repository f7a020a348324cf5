#pragma once

// What an Optimizer is a handle on: a rule and the registry that it runs over.

#include <scry/core/function_ref.hpp>
#include <scry/optim/optimizer.hpp>
#include <scry/optim/rule.hpp>

namespace scry::optim {

/// Looks on while a step is taken.
class StepObserver {
 public:
  virtual void before_update(std::span<const Chunk> chunks) = 0;
  virtual void after_update() = 0;

 protected:
  ~StepObserver() = default;
};

class Engine final : public SegmentListener, public std::enable_shared_from_this<Engine> {
 public:
  Engine(const Registry& registry, std::unique_ptr<UpdateRule> rule);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  bool step();
  void finish();
  /// Swaps trained and averaged weights at the outermost of nested calls.
  void begin_evaluation();
  void end_evaluation();
  void require_training(std::string_view what) const;

  /// Puts a rule around the one that is there. Where that fails, nothing has changed.
  void wrap(std::unique_ptr<UpdateRule> wrapper);
  UpdateRule& rule() const { return *rule_; }
  /// The rules from the outermost to the innermost.
  std::vector<UpdateRule*> chain() const;
  /// Their names; where one appears again, it is numbered from the inside: "lookahead2", "lookahead", "sgd".
  std::vector<std::string> prefixes() const;

  struct FoundOption {
    UpdateRule* rule;
    size_t option;
    bool operator==(const FoundOption&) const = default;
  };
  /// The option of the outermost rule that has it, or of the rule named before a slash; an Error where there is none.
  FoundOption find_option(std::string_view name) const;
  void add_group(const Group& group);
  std::string expression() const;

  void report_to(void (*reporter)(const std::string&)) { reporter_ = reporter; }

  const Registry& registry() const { return registry_; }
  /// Of the last step, by row.
  std::span<const RowInput> inputs() const { return inputs_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  /// The weights of all trained rows were set from outside.
  void rebase();
  /// Syncs the outermost Lookahead now; see JointLookahead.
  void close_windows();
  /// One at a time; null ends it.
  void observe(StepObserver* observer);
  /// Gives the slots of a rule their first values.
  void fill_slots(UpdateRule& rule) const;
  /// Gives gradients and slots to frozen parameters that require a gradient now.
  void activate_thawed();
  void segment_activated(int32_t segment) override;

 private:
  void make_slots();
  void fill_slots(UpdateRule& rule, int32_t segment) const;
  void run(const StepInput& step);
  bool collect_gradients();
  void report_skipped();
  void plan(const StepInput& step);
  void plan_all();
  void add_chunks(size_t first_row, int64_t begin, int64_t end, bool has_gradient, const Slot* gradients);
  void for_each_chunk(FunctionRef<void(const Chunk&)> function) const;
  void bump_versions() const;
  void swap_weights() const;

  Registry registry_;
  RegistryState& table_;
  std::unique_ptr<UpdateRule> rule_;
  void (*reporter_)(const std::string&);
  std::vector<bool> reported_;  // by row
  int64_t steps_ = 0;
  int evaluations_ = 0;
  StepObserver* observer_ = nullptr;
  std::vector<RowInput> inputs_;  // these keep their memory from step to step
  std::vector<Chunk> chunks_;
  std::vector<size_t> moved_;  // rows
  int64_t planned_elements_ = 0;
};

}  // namespace scry::optim
