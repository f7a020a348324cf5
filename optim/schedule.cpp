#include <scry/core/error.hpp>
#include <scry/optim/schedule.hpp>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace scry::optim::schedules {
namespace {

void require_positive(const char* what, int64_t value) { require(value >= 1, "schedule: ", what, " is ", value, "; expected at least 1"); }
void require_finite(const char* what, double value) { require(std::isfinite(value), "schedule: ", what, " is ", value, "; expected a number"); }

double part(int64_t step, int64_t whole) { return static_cast<double>(step) / static_cast<double>(whole); }

double annealed(Anneal strategy, double from, double to, double share) {
  if (strategy == Anneal::linear) return from + (to - from) * share;
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

double half_cosine(double base, double low, double share) { return annealed(Anneal::cos, base, low, share); }

struct Phase {
  double end;  // its last step
  double lr, momentum;
};

// Where the phases end, and with what.
std::vector<Phase> one_cycle_phases(const OneCycleOptions& o) {
  const auto total = static_cast<double>(o.total_steps);
  const double first = o.max_lr / o.div_factor, last = first / o.final_div_factor;
  std::vector<Phase> phases{{0, first, o.max_momentum}, {o.pct_start * total - 1, o.max_lr, o.base_momentum}};
  if (o.three_phase) phases.push_back({2 * o.pct_start * total - 2, first, o.max_momentum});
  phases.push_back({total - 1, last, o.max_momentum});
  return phases;
}

Schedule one_cycle_course(const OneCycleOptions& o, double Phase::*value) {
  require_positive("total_steps", o.total_steps);
  for (const double each : {o.max_lr, o.base_momentum, o.max_momentum}) require_finite("an option of one_cycle", each);
  require(o.pct_start >= 0 && o.pct_start <= 1, "schedule: pct_start is ", o.pct_start, "; expected a number from 0 to 1");
  require(o.div_factor > 0 && o.final_div_factor > 0, "schedule: div_factor and final_div_factor must be above 0");
  return [phases = one_cycle_phases(o), strategy = o.anneal_strategy, value](double, int64_t step) {
    const auto t = static_cast<double>(step);
    size_t i = 1;
    while (i + 1 < phases.size() && t > phases[i].end) ++i;
    const Phase &from = phases[i - 1], &to = phases[i];
    if (t >= to.end) return to.*value;
    return annealed(strategy, from.*value, to.*value, (t - from.end) / (to.end - from.end));
  };
}

}  // namespace

Schedule step(const StepOptions& o) {
  require_positive("step_size", o.step_size);
  require_finite("gamma", o.gamma);
  return [o](double base, int64_t t) { return base * std::pow(o.gamma, static_cast<double>(t / o.step_size)); };
}

Schedule multi_step(const MultiStepOptions& o) {
  require(std::is_sorted(o.milestones.begin(), o.milestones.end()), "schedule: the milestones must ascend");
  require_finite("gamma", o.gamma);
  return [o](double base, int64_t t) {
    const auto reached = std::upper_bound(o.milestones.begin(), o.milestones.end(), t) - o.milestones.begin();
    return base * std::pow(o.gamma, static_cast<double>(reached));
  };
}

Schedule exponential(double gamma) {
  require_finite("gamma", gamma);
  return [gamma](double base, int64_t t) { return base * std::pow(gamma, static_cast<double>(t)); };
}

Schedule linear(const LinearOptions& o) {
  require_positive("total_iters", o.total_iters);
  require_finite("start_factor", o.start_factor);
  require_finite("end_factor", o.end_factor);
  return [o](double base, int64_t t) {
    return base * (o.start_factor + (o.end_factor - o.start_factor) * part(std::min(t, o.total_iters), o.total_iters));
  };
}

Schedule constant(double factor, int64_t total_iters) {
  require_finite("factor", factor);
  return [=](double base, int64_t t) { return t < total_iters ? base * factor : base; };
}

Schedule polynomial(const PolynomialOptions& o) {
  require_positive("total_iters", o.total_iters);
  require_finite("power", o.power);
  return [o](double base, int64_t t) { return base * std::pow(1 - part(std::min(t, o.total_iters), o.total_iters), o.power); };
}

Schedule cosine_annealing(const CosineOptions& o) {
  require_positive("t_max", o.t_max);
  require_finite("eta_min", o.eta_min);
  return [o](double base, int64_t t) { return half_cosine(base, o.eta_min, part(t, o.t_max)); };
}

Schedule cosine_annealing_warm_restarts(const WarmRestartsOptions& o) {
  require_positive("t_0", o.t_0);
  require_positive("t_mult", o.t_mult);
  require_finite("eta_min", o.eta_min);
  return [o](double base, int64_t t) {
    if (o.t_mult == 1) return half_cosine(base, o.eta_min, part(t % o.t_0, o.t_0));
    int64_t begin = 0, length = o.t_0;
    while (t - begin >= length) {
      begin += length;
      length = length > INT64_MAX / o.t_mult ? INT64_MAX : length * o.t_mult;
    }
    return half_cosine(base, o.eta_min, part(t - begin, length));
  };
}

Schedule one_cycle(const OneCycleOptions& options) { return one_cycle_course(options, &Phase::lr); }

Schedule one_cycle_momentum(const OneCycleOptions& options) { return one_cycle_course(options, &Phase::momentum); }

Schedule sequential(std::vector<Schedule> schedules, std::vector<int64_t> milestones) {
  require(!schedules.empty() && milestones.size() + 1 == schedules.size(), "schedule: ", schedules.size(), " schedules one after another need ",
          schedules.empty() ? 0 : schedules.size() - 1, " milestones between them, got ", milestones.size());
  require(std::is_sorted(milestones.begin(), milestones.end()), "schedule: the milestones must ascend");
  return [schedules = std::move(schedules), milestones = std::move(milestones)](double base, int64_t t) {
    const auto reached = static_cast<size_t>(std::upper_bound(milestones.begin(), milestones.end(), t) - milestones.begin());
    return schedules[reached](base, reached ? t - milestones[reached - 1] : t);
  };
}

Schedule chained(std::vector<Schedule> schedules) {
  return [schedules = std::move(schedules)](double base, int64_t t) {
    for (const Schedule& each : schedules) base = each(base, t);
    return base;
  };
}

Schedule restarted(Schedule schedule, int64_t period) {
  require_positive("period", period);
  return [schedule = std::move(schedule), period](double base, int64_t t) { return schedule(base, t % period); };
}

}  // namespace scry::optim::schedules
