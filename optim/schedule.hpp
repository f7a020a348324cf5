#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace scry::optim {

/// The value of an option after `step` steps (0: before the first), given the one that it began with. Any such function is a schedule; it has no
/// state, so it may be asked for any step at any time.
using Schedule = std::function<double(double base, int64_t step)>;

/// PyTorch's schedules (torch.optim.lr_scheduler, in its closed forms), by its names and with its parameters. A step is whatever their Scheduler
/// is stepped for: a batch or an epoch. What makes no sense (negative lengths, NaN) is an Error where they are made.
namespace schedules {

struct StepOptions {
  int64_t step_size = 1;
  double gamma = 0.1;
};
/// base γ^⌊t / step_size⌋
Schedule step(const StepOptions& options);

struct MultiStepOptions {
  std::vector<int64_t> milestones;  ///< in ascending order
  double gamma = 0.1;
};
/// base γ^(the number of milestones that t has reached)
Schedule multi_step(const MultiStepOptions& options);

/// base γᵗ
Schedule exponential(double gamma);

struct LinearOptions {
  double start_factor = 1.0 / 3, end_factor = 1;
  int64_t total_iters = 5;
};
/// From base start_factor to base end_factor in total_iters steps; a warm-up, as it stands.
Schedule linear(const LinearOptions& options);

/// base `factor` for total_iters steps, then base.
Schedule constant(double factor, int64_t total_iters);

struct PolynomialOptions {
  int64_t total_iters = 5;
  double power = 1;
};
/// base (1 − t / total_iters)^power, then 0
Schedule polynomial(const PolynomialOptions& options);

struct CosineOptions {
  int64_t t_max;
  double eta_min = 0;
};
/// eta_min + (base − eta_min) (1 + cos(π t / t_max)) / 2: Loshchilov and Hutter 2017 ("SGDR"), without restarts. Past t_max it rises again.
Schedule cosine_annealing(const CosineOptions& options);

struct WarmRestartsOptions {
  int64_t t_0;         ///< steps before the first restart
  int64_t t_mult = 1;  ///< every cycle is so many times as long as the one before
  double eta_min = 0;
};
/// The same, begun anew after t_0, t_0 (1 + t_mult), … steps.
Schedule cosine_annealing_warm_restarts(const WarmRestartsOptions& options);

enum class Anneal : uint8_t { cos, linear };

struct OneCycleOptions {
  double max_lr;
  int64_t total_steps;
  double pct_start = 0.3;  ///< the share of steps in which the learning rate rises
  Anneal anneal_strategy = Anneal::cos;
  double base_momentum = 0.85, max_momentum = 0.95;
  double div_factor = 25;         ///< max_lr / the first learning rate
  double final_div_factor = 1e4;  ///< the first learning rate / the last
  bool three_phase = false;       ///< down to the first learning rate as it went up, then to the last
};
/// The learning rate of Smith and Topin's one-cycle policy (2019, "Super-convergence"), whatever the base; the last value holds on.
Schedule one_cycle(const OneCycleOptions& options);
/// The momentum (Adam's beta1) that goes with it, down while the learning rate rises.
Schedule one_cycle_momentum(const OneCycleOptions& options);

/// Each schedule from its milestone on, counting from there: sequential({linear({…}), cosine_annealing({…})}, {5}) warms up for 5 steps.
Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones);
/// Each takes for its base what the one before gives (PyTorch's ChainedScheduler).
Schedule chained(std::vector<Schedule> schedules);
/// `schedule` begun anew every `period` steps.
Schedule restarted(Schedule schedule, int64_t period);

}  // namespace schedules
}  // namespace scry::optim
