// Schedules against PyTorch's (2.13), whose values were taken from its schedulers step by step.

#include "fixture.hpp"

#include <gmock/gmock.h>

namespace scry::optim {
namespace {

namespace s = schedules;
using s::Anneal;

struct Golden {
  const char* name;
  Schedule schedule;
  std::vector<double> values;  // at these steps, from a base of 0.1
};
const std::vector<int64_t> steps{0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 14, 15, 19};

TEST(Schedule, MatchesPyTorch) {
  const std::vector<Golden> all{
      {"step", s::step({.step_size = 4, .gamma = 0.5}), {0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.00625}},
      {"multi_step",
       s::multi_step({.milestones = {3, 3, 10}, .gamma = 0.3}),
       {0.1, 0.1, 0.1, 0.009, 0.009, 0.009, 0.009, 0.009, 0.009, 0.0027, 0.0027, 0.0027, 0.0027, 0.0027}},
      {"exponential",
       s::exponential(0.9),
       {0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.0387420489, 0.03486784401, 0.031381059609, 0.02287679245496,
        0.02058911320946, 0.01350851717673}},
      {"linear",
       s::linear({.start_factor = 0.25, .end_factor = 0.75, .total_iters = 7}),
       {0.025, 0.03214285714286, 0.03928571428571, 0.04642857142857, 0.05357142857143, 0.06071428571429, 0.06785714285714, 0.075, 0.075, 0.075, 0.075,
        0.075, 0.075, 0.075}},
      {"constant", s::constant(0.2, 5), {0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}},
      {"polynomial",
       s::polynomial({.total_iters = 10, .power = 1.7}),
       {0.1, 0.08360115279168, 0.06843101439944, 0.05453391388693, 0.04196209142487, 0.03077861033362, 0.02106211526935, 0.0129153486075,
        0.001995262314969, 0.0, 0.0, 0.0, 0.0, 0.0}},
      {"cosine_annealing",
       s::cosine_annealing({.t_max = 12, .eta_min = 0.01}),
       {0.1, 0.09846666218301, 0.0939711431703, 0.08681980515339, 0.0775, 0.06664685702961, 0.055, 0.04335314297039, 0.02318019484661,
        0.0160288568297, 0.01153333781699, 0.0160288568297, 0.02318019484661, 0.06664685702961}},
      {"cosine_annealing_warm_restarts",
       s::cosine_annealing_warm_restarts({.t_0 = 4, .eta_min = 0.001}),
       {0.1, 0.08550178566873, 0.0505, 0.01549821433127, 0.1, 0.08550178566873, 0.0505, 0.01549821433127, 0.08550178566873, 0.0505, 0.01549821433127,
        0.0505, 0.01549821433127, 0.01549821433127}},
      {"cosine_annealing_warm_restarts",
       s::cosine_annealing_warm_restarts({.t_0 = 3, .t_mult = 2}),
       {0.1, 0.075, 0.025, 0.1, 0.09330127018922, 0.075, 0.05, 0.025, 0.1, 0.09829629131445, 0.09330127018922, 0.06294095225513, 0.05,
        0.006698729810778}},
      {"one_cycle",
       s::one_cycle({.max_lr = 0.4, .total_steps = 20}),
       {0.016, 0.05266873708001, 0.14866873708, 0.26733126292, 0.36333126292, 0.4, 0.394985602494, 0.3801938528054, 0.3246982615799, 0.2867772007165,
        0.2445048087745, 0.1132243992835, 0.07530333842009, 1.6e-06}},
      {"one_cycle_momentum",
       s::one_cycle_momentum({.max_lr = 0.4, .total_steps = 20}),
       {0.95, 0.9404508497187, 0.9154508497187, 0.8845491502813, 0.8595491502813, 0.85, 0.8512536043909, 0.8549515566049, 0.8688255099071,
        0.8783058130441, 0.8888739533022, 0.9216941869559, 0.9311744900929, 0.95}},
      {"one_cycle",
       s::one_cycle(
           {.max_lr = 0.4, .total_steps = 20, .pct_start = 0.25, .anneal_strategy = Anneal::linear, .div_factor = 10, .final_div_factor = 100}),
       {0.04, 0.13, 0.22, 0.31, 0.4, 0.37336, 0.34672, 0.32008, 0.2668, 0.24016, 0.21352, 0.1336, 0.10696, 0.0004}},
      {"one_cycle",
       s::one_cycle({.max_lr = 0.4, .total_steps = 20, .three_phase = true}),
       {0.016, 0.05266873708001, 0.14866873708, 0.26733126292, 0.36333126292, 0.4, 0.36333126292, 0.26733126292, 0.05266873708001, 0.016,
        0.01551758921219, 0.009389846502793, 0.006611753497207, 1.6e-06}},
      {"one_cycle_momentum",
       s::one_cycle_momentum({.max_lr = 0.4, .total_steps = 20, .base_momentum = 0.8, .max_momentum = 0.9, .three_phase = true}),
       {0.9, 0.8904508497187, 0.8654508497187, 0.8345491502813, 0.8095491502813, 0.8, 0.8095491502813, 0.8345491502813, 0.8904508497187, 0.9, 0.9,
        0.9, 0.9, 0.9}},
      {"sequential",
       s::sequential({s::linear({.start_factor = 0.1, .total_iters = 5}), s::cosine_annealing({.t_max = 10}), s::exponential(0.9)}, {5, 15}),
       {0.01, 0.028, 0.046, 0.064, 0.082, 0.1, 0.09755282581476, 0.09045084971875, 0.06545084971875, 0.05, 0.03454915028125, 0.002447174185242, 0.1,
        0.06561}},
      {"chained",
       s::chained({s::constant(0.1, 4), s::exponential(0.9)}),
       {0.01, 0.009, 0.0081, 0.00729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.0387420489, 0.03486784401, 0.031381059609, 0.02287679245496,
        0.02058911320946, 0.01350851717673}},
      {"any function",
       [](double base, int64_t t) { return base / (1 + static_cast<double>(t)); },
       {0.1, 0.05, 0.03333333333333, 0.025, 0.02, 0.01666666666667, 0.01428571428571, 0.0125, 0.01, 0.009090909090909, 0.008333333333333,
        0.006666666666667, 0.00625, 0.005}},
  };
  for (const auto& [name, schedule, values] : all)
    for (size_t i = 0; i < steps.size(); ++i) EXPECT_NEAR(schedule(0.1, steps[i]), values[i], 1e-12) << name << " at step " << steps[i];
}

TEST(Schedule, RestartsAndTheEndsOfCourses) {
  const Schedule saw = s::restarted(s::linear({.start_factor = 1, .end_factor = 0, .total_iters = 4}), 4);
  EXPECT_DOUBLE_EQ(saw(2, 3), 0.5);
  EXPECT_DOUBLE_EQ(saw(2, 4), 2);
  const s::OneCycleOptions cycle{.max_lr = 1, .total_steps = 10};
  EXPECT_DOUBLE_EQ(s::one_cycle(cycle)(0, 1000), s::one_cycle(cycle)(0, 9));
  EXPECT_DOUBLE_EQ(s::cosine_annealing_warm_restarts({.t_0 = 3, .t_mult = 2})(1, int64_t{3} << 40), 1);  // by no loop over all steps
}

TEST(Schedule, RefusesNonsense) {
  EXPECT_THROW(s::step({.step_size = 0}), Error);
  EXPECT_THROW(s::exponential(nan), Error);
  EXPECT_THROW(s::multi_step({.milestones = {5, 3}}), Error);
  EXPECT_THROW(s::cosine_annealing({.t_max = 0}), Error);
  EXPECT_THROW(s::one_cycle({.max_lr = 1, .total_steps = 10, .pct_start = 1.5}), Error);
  EXPECT_THROW(s::sequential({s::exponential(0.9)}, {3}), Error);
  EXPECT_THROW(s::sequential({}, {}), Error);
}

TEST(Scheduler, DrivesAnyOptionOfAnyGroup) {
  const TestModel model = random_model({{3}, {4}, {5}}, 1);
  SGD sgd{Registry{model}, {.lr = 0.1, .momentum = 0.5}};
  sgd.add_group("p1", {{"lr", 0.2}});
  sgd.add_group("p2", {{"weight_decay", 0.2}});
  Scheduler scheduler{sgd, {{.schedule = s::exponential(0.5)}, {.option = "momentum", .schedule = s::exponential(0.9), .group = "p1"}}};
  Lookahead optimizer{std::move(sgd), {.alpha = 0.5}};  // wrapping changes nothing
  Scheduler outer{optimizer, {{.option = "alpha", .schedule = s::linear({.start_factor = 1, .end_factor = 2, .total_iters = 4})}}};
  for (int i = 0; i < 2; ++i) scheduler.step();
  outer.step();
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.025);
  EXPECT_DOUBLE_EQ(optimizer.get("lr", "p1"), 0.05) << "a group with a value of its own keeps its distance";
  EXPECT_DOUBLE_EQ(optimizer.get("lr", "p2"), 0.025);
  EXPECT_DOUBLE_EQ(optimizer.get("momentum"), 0.5);
  EXPECT_DOUBLE_EQ(optimizer.get("momentum", "p1"), 0.405);
  EXPECT_DOUBLE_EQ(optimizer.get("alpha"), 0.625);
}

TEST(Scheduler, OneCycleMovesMomentumToo) {
  const TestModel model = random_model({{3}}, 1);
  Adam adam{Registry{model}};
  const s::OneCycleOptions cycle{.max_lr = 0.4, .total_steps = 20};
  Scheduler scheduler{adam, {{.schedule = s::one_cycle(cycle)}, {.option = "beta1", .schedule = s::one_cycle_momentum(cycle)}}};
  scheduler.set_steps(5);
  EXPECT_DOUBLE_EQ(adam.lr(), 0.4);
  EXPECT_DOUBLE_EQ(adam.get("beta1"), 0.85);
}

TEST(Scheduler, WhatLeavesItsRangeChangesNothing) {
  const TestModel model = random_model({{3}}, 1);
  SGD sgd{Registry{model}, {.lr = 0.1, .momentum = 0.5}};
  const auto falling = [](double base, int64_t t) { return base - static_cast<double>(t); };
  Scheduler scheduler{sgd, {{.schedule = s::exponential(0.5)}, {.option = "momentum", .schedule = falling}}};
  EXPECT_THROW(scheduler.step(), Error);
  EXPECT_EQ(sgd.lr(), 0.1);
  EXPECT_EQ(scheduler.steps(), 0);
  EXPECT_THROW((Scheduler{sgd, {{.option = "alpha", .schedule = falling}}}), Error);
  EXPECT_THROW((Scheduler{sgd, {{.schedule = falling, .group = "none"}}}), Error);
  EXPECT_THROW((Scheduler{sgd, Schedule{}}), Error);
}

TEST(Scheduler, GoesOnFromACheckpoint) {
  const TestModel a = random_model({{3}}, 1), b = random_model({{3}}, 2);
  SGD first{Registry{a}, {.lr = 0.1}}, second{Registry{b}, {.lr = 0.1}};
  Scheduler whole{first, s::exponential(0.5)};
  ReduceOnPlateau plateau{first, {.patience = 1}};
  for (int i = 0; i < 3; ++i) whole.step();
  plateau.step(1);
  plateau.step(2);
  const Checkpoint saved = capture(first, {}, {{"schedule", whole}, {"plateau", plateau}});

  Scheduler resumed{second, s::exponential(0.5)};
  ReduceOnPlateau other{second, {.patience = 1}};
  EXPECT_THAT(restore(second, saved, "x", {{"schedule", resumed}}).notes, testing::ElementsAre("x has state of 'plateau', which is left out"));
  restore(second, saved, "x", {{"schedule", resumed}, {"plateau", other}});
  EXPECT_EQ(resumed.steps(), 3);
  EXPECT_EQ(second.lr(), first.lr());
  plateau.step(1);
  other.step(1);
  EXPECT_EQ(second.lr(), first.lr());
  EXPECT_DOUBLE_EQ(second.lr(), 0.1 / 8 / 10);

  // A part that isn't there, or that doesn't fit, changes nothing.
  resumed.step();
  const double lr = second.lr();
  EXPECT_THROW(restore(second, saved, "x", {{"schedule", resumed}, {"loader", other}}), Error);
  Checkpoint damaged = saved;
  for (NamedTensor& each : damaged.tensors)
    if (each.name == "part:plateau/cooldown") each.tensor = full({}, -1, i64);
  EXPECT_THROW(restore(second, damaged, "x", {{"schedule", resumed}, {"plateau", other}}), Error);
  EXPECT_EQ(second.lr(), lr);
  EXPECT_EQ(resumed.steps(), 4);
}

TEST(Plateau, MatchesPyTorch) {
  const std::vector<double> metrics{1, 0.9, 0.95, 0.9, 0.89995, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, nan, 0.6, 0.6, 0.4};
  const auto path = [&](const PlateauOptions& options) {
    const TestModel model = random_model({{3}}, 1);
    SGD sgd{Registry{model}, {.lr = 0.1}};
    ReduceOnPlateau plateau{sgd, options};
    std::vector<double> rates;
    for (const double metric : metrics) {
      plateau.step(metric);
      rates.push_back(sgd.lr());
    }
    return rates;
  };
  const auto near = [](std::vector<double> values) { return testing::Pointwise(testing::DoubleNear(1e-15), values); };
  EXPECT_THAT(path({.factor = 0.5, .patience = 1}),
              near({0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.00625, 0.00625, 0.003125, 0.003125, 0.0015625, 0.0015625}));
  EXPECT_THAT(path({.patience = 0, .threshold = 0.05, .threshold_mode = ThresholdMode::abs, .cooldown = 2, .min_lr = 2e-4}),
              near({0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 2e-4, 2e-4}));
  EXPECT_THAT(path({.mode = MetricMode::max, .factor = 0.3, .patience = 2}),
              near({0.1, 0.1, 0.1, 0.03, 0.03, 0.03, 0.009, 0.009, 0.009, 0.0027, 0.0027, 0.0027, 0.00081, 0.00081, 0.00081, 0.000243}));
  EXPECT_THROW(path({.factor = 1}), Error);
  EXPECT_THROW(path({.threshold = -1}), Error);
  EXPECT_THROW(path({.option = "none"}), Error);
}

}  // namespace
}  // namespace scry::optim
