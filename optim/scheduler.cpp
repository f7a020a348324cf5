#include <scry/core/creation.hpp>
#include <scry/core/state.hpp>
#include <scry/optim/engine.hpp>
#include <scry/optim/scheduler.hpp>
#include <algorithm>

namespace scry::optim {
namespace {

// Calls function(rule, index of the option, group) for the group of this pattern, or else for every group with a value of its own.
void for_each_group(const Engine& engine, std::string_view option, std::string_view pattern,
                    FunctionRef<void(UpdateRule& rule, size_t option, size_t group)> function) {
  const auto [rule, index] = engine.find_option(option);
  if (!pattern.empty()) return function(*rule, index, engine.registry().state().find_group(pattern));
  for (size_t group = 0; group < rule->options_table().groups(); ++group)
    if (rule->options_table().own(index, group)) function(*rule, index, group);
}

NamedTensor integer(const char* name, int64_t value) { return {name, tensor(std::vector{value}, Shape{})}; }

}  // namespace

Scheduler::Scheduler(Optimizer& optimizer, std::vector<Course> courses)
    : engine_(optimizer.engine().shared_from_this()), courses_(std::move(courses)) {
  for (const Course& course : courses_) require(course.schedule != nullptr, "scheduler: the schedule of ", course.option, " is empty");
  set_steps(0);
}

void Scheduler::set_steps(int64_t steps) {
  require(steps >= 0, "scheduler: steps is ", steps);
  before_.clear();
  try {
    for (const Course& course : courses_)
      for_each_group(*engine_, course.option, course.group, [&](UpdateRule& rule, size_t option, size_t group) {
        const OptionTable& table = rule.options_table();
        before_.push_back({&rule, option, group, table.values(group)[option]});
        rule.set(option, course.schedule(table.given(option, group), steps), group);
      });
  } catch (...) {
    for (auto each = before_.rbegin(); each != before_.rend(); ++each) each->rule->set(each->option, each->value, each->group);
    throw;
  }
  steps_ = steps;
}

std::vector<NamedTensor> Scheduler::state_dict() const { return {integer("steps", steps_)}; }

void Scheduler::load_state_dict(const std::vector<NamedTensor>& state) { set_steps(state_integer("scheduler", state, "steps")); }

ReduceOnPlateau::ReduceOnPlateau(Optimizer& optimizer, PlateauOptions options)
    : engine_(optimizer.engine().shared_from_this()),
      options_(std::move(options)),
      best_(options_.mode, options_.threshold, options_.threshold_mode) {
  const auto at_least_0 = [](const char* what, double value) {
    require(std::isfinite(value) && value >= 0, "plateau: ", what, " is ", value, "; expected a number, at least 0");
  };
  require(options_.factor > 0 && options_.factor < 1, "plateau: factor is ", options_.factor, "; expected a number between 0 and 1");
  at_least_0("patience", static_cast<double>(options_.patience));
  at_least_0("cooldown", static_cast<double>(options_.cooldown));
  at_least_0("min_lr", options_.min_lr);
  at_least_0("eps", options_.eps);
  for_each_group(*engine_, options_.option, options_.group, [](UpdateRule&, size_t, size_t) {});  // that they exist
}

void ReduceOnPlateau::step(double metric) {
  bad_ = best_.improves(metric) ? 0 : bad_ + 1;
  if (cooling_ > 0) {
    --cooling_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return;
  cooling_ = options_.cooldown;
  bad_ = 0;
  for_each_group(*engine_, options_.option, options_.group, [this](UpdateRule& rule, size_t option, size_t group) {
    const double now = rule.options_table().values(group)[option], reduced = std::max(now * options_.factor, options_.min_lr);
    if (now - reduced > options_.eps) rule.set(option, reduced, group);
  });
}

std::vector<NamedTensor> ReduceOnPlateau::state_dict() const {
  auto state = best_.state_dict();
  state.push_back(integer("bad_epochs", bad_));
  state.push_back(integer("cooldown", cooling_));
  return state;
}

void ReduceOnPlateau::load_state_dict(const std::vector<NamedTensor>& state) {
  const int64_t bad = state_integer("plateau", state, "bad_epochs"), cooling = state_integer("plateau", state, "cooldown");
  require(bad >= 0 && cooling >= 0, "plateau: bad_epochs is ", bad, " and cooldown ", cooling, " in the saved state");
  best_.load_state_dict(state);
  bad_ = bad;
  cooling_ = cooling;
}

}  // namespace scry::optim
