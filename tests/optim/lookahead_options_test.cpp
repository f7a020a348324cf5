// What must hold of Lookahead, by number: what is optional. Schedules, measured α, outer momentum, rollback, buffers, several players.

#include "fixture.hpp"

#include <cmath>

namespace scry::optim {
namespace {

TEST(Lookahead, Case11_ASchedulerAttachedBeforeOrAfterALoadDrivesIt) {
  constexpr const char* expression = "lookahead(adam(lr=0.1), k=3)";
  const auto train = [](const TestModel& model, Optimizer& optimizer, Scheduler& scheduler, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) {
      steps(model, optimizer, i, i + 1);
      scheduler.step();
    }
  };
  const Schedule falling = schedules::polynomial({.total_iters = 20});
  const TestModel whole = random_model({{5}}, 1), before = random_model({{5}}, 2), after = random_model({{5}}, 3);
  Optimizer a = make_optimizer(expression, Registry{whole}), b = make_optimizer(expression, Registry{before}),
            c = make_optimizer(expression, Registry{after});
  Scheduler first{a, falling}, second{b, falling};
  train(whole, a, first, 0, 4);
  const Checkpoint saved = capture(a, {}, {{"schedule", first}});
  restore(b, saved, "x", {{"schedule", second}});
  restore(c, saved);
  Scheduler third{c, falling};
  third.set_steps(c.steps());
  train(whole, a, first, 4, 11);
  train(before, b, second, 4, 11);
  train(after, c, third, 4, 11);
  EXPECT_DOUBLE_EQ(a.lr(), 0.1 * (1 - 11.0 / 20));
  EXPECT_EQ(weights_of(before), weights_of(whole));
  EXPECT_EQ(weights_of(after), weights_of(whole));
}

TEST(Lookahead, Case12_KAndAlphaFollowSchedules) {
  const TestModel model = scalar_model(3);
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1}}, {.k = 2, .alpha = 0.5}};
  const auto k = [](double base, int64_t t) { return t < 4 ? base : base + 1; };
  const auto alpha = [](double base, int64_t t) { return t < 4 ? base : 2 * base; };
  Scheduler scheduler{optimizer, {{.option = "k", .schedule = k}, {.option = "alpha", .schedule = alpha}}};
  const std::vector<double> golden{2.9, 2.9, 2.8, 2.8, 2.7, 2.6, 2.5, 2.4};  // windows of 2, 2 and, with α = 1, 3 steps
  for (const double expected : golden) {
    optimizer.zero_grad();
    give_gradient(model["x"], 1);
    optimizer.step();
    scheduler.step();
    EXPECT_NEAR(model["x"].item(), expected, 1e-12);
  }
}

// f(x) = ½ xᵀ A x with A of any sign, and its gradient.
struct Bowl {
  Tensor matrix;
  double operator()(const Tensor& x) const { return 0.5 * sum(x * matmul(matrix, x)).item(); }
  void give(const Tensor& x) const { give_gradient(x, matmul(matrix, x.detach())); }
};

Bowl random_bowl(Generator& random, double shift) {
  const Tensor root = randn({5, 5}, f64, random);
  return {matmul(root, transpose(root, 0, 1)) * 0.2 + eye(5, -1, f64) * shift};
}

TEST(Lookahead, AdaptiveAlphaIsTheBestOnAQuadratic) {
  const NoGrad no_grad;
  Generator random(3);
  int clipped_low = 0, clipped_high = 0, inside = 0;
  for (int round = 0; round < 60; ++round) {
    const Bowl bowl = random_bowl(random, round % 3 == 2 ? -1.5 : 0.1);
    const TestModel model = random_model({{5}}, static_cast<uint64_t>(round), f64);
    const Registry registry{model};
    const double low = 0.3, lr = round % 2 == 0 ? 0.15 : 1.1;
    Lookahead optimizer{SGD{registry, {.lr = lr, .momentum = 0.5}}, {.k = 4, .adaptive = true, .alpha_low = low}};
    for (int window = 0; window < 2; ++window) {
      const Tensor x = model["p0"], start = x.detach() * 1;
      for (int i = 0; i < 4; ++i) {
        optimizer.zero_grad();
        bowl.give(x);
        optimizer.step();
      }
      const Tensor d = x.detach() - start;
      EXPECT_EQ(registry.slot("p0", "lookahead/slow").to_vector<double>(), start.to_vector<double>()) << "the window is not over";
      optimizer.zero_grad();
      bowl.give(x);
      optimizer.step();

      // By force: the best of many, refined around the best so far.
      double best = low;
      for (double center = (low + 1) / 2, width = (1 - low) / 2; width > 1e-9; width *= 0.1, center = best)
        for (int i = -20; i <= 20; ++i) {
          const double alpha = std::clamp(center + width * i / 10, low, 1.0);
          if (bowl(start + d * alpha) < bowl(start + d * best)) best = alpha;
        }
      EXPECT_NEAR(optimizer.get("alpha"), best, 1e-6) << "round " << round;
      const auto expected = (start + d * optimizer.get("alpha")).to_vector<double>(), now = x.to_vector<double>();
      for (size_t i = 0; i < now.size(); ++i) EXPECT_NEAR(now[i], expected[i], 1e-12);
      ++(best == low ? clipped_low : best == 1 ? clipped_high : inside);
    }
  }
  EXPECT_GT(clipped_low, 5);
  EXPECT_GT(clipped_high, 5);
  EXPECT_GT(inside, 30);
}

TEST(Lookahead, AdaptiveWindowsTakeOneCallMore) {
  const TestModel model = scalar_model(4);
  const Registry registry{model};
  Lookahead optimizer{Adam{registry, {.lr = 0.1}}, {.k = 3, .adaptive = true}};
  for (int i = 1; i <= 8; ++i) {
    optimizer.zero_grad();
    give_gradient(model["x"], model["x"].item());
    EXPECT_TRUE(optimizer.step());
    EXPECT_EQ(registry.slot("x", "adam/step").item(), i - i / 4) << "the measuring call is no step of the inner optimizer";
    EXPECT_EQ(registry.slot("x", "lookahead/slow").item() == model["x"].item(), i % 4 == 0);
  }
}

TEST(Lookahead, OuterMomentumFollowsNesterov) {
  const double mu = 0.6, alpha = 0.7;
  const TestModel model = scalar_model(3);
  const Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 0.1}}, {.k = 2, .alpha = alpha, .outer_momentum = mu}};
  double x = 3, phi = 3, b = 0;
  for (int i = 1; i <= 12; ++i) {
    x -= 0.1 * x;
    if (i % 2 == 0) {
      b = mu * b + (phi - x);
      x = phi = phi - alpha * (mu * b + (phi - x));
    }
    optimizer.zero_grad();
    give_gradient(model["x"], model["x"].item());
    optimizer.step();
    EXPECT_NEAR(model["x"].item(), x, 1e-13);
    EXPECT_NEAR(registry.slot("x", "lookahead/momentum").item(), -b, 1e-13);
  }

  const TestModel with = random_model({{40}}, 1), without = random_model({{40}}, 1);
  Optimizer a = make_optimizer("lookahead(adam(lr=0.1), k=3, outer_momentum=0)", Registry{with});
  Optimizer c = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{without});
  steps(with, a, 0, 10);
  steps(without, c, 0, 10);
  EXPECT_EQ(weights_of(with), weights_of(without));
  EXPECT_THROW(make_optimizer("lookahead(sgd, outer_momentum=1)", Registry{random_model({{4}}, 1)}), Error);
}

TEST(Lookahead, Case19_RollbackTakesAllWeightsBackAndGoesOn) {
  for (const char* expression :
       {"lookahead(adam(lr=0.1), k=3, rollback=true)", "lookahead(adam(lr=0.1), k=3, rollback=true, inner_state=pull_back)",
        "lookahead(lookahead(adam(lr=0.1), k=2), k=3, rollback=true)", "lookahead(lookahead(adam(lr=0.1), k=3, rollback=true), k=6)"}) {
    const TestModel model = random_model({{40}, {70000}}, 6), fresh = random_model({{40}, {70000}}, 6);
    const Registry registry{model};
    Optimizer optimizer = make_optimizer(expression, registry);
    const auto start = weights_of(model);
    for (uint64_t i = 0; i < 3; ++i) {
      give_gradients(model, i);
      if (i == 1) {
        Tensor g = model["p0"].grad();
        g.mutable_data<float>()[7] = static_cast<float>(infinity);
      }
      optimizer.step();
      EXPECT_EQ(weights_of(model) == start, i == 2) << expression;
      EXPECT_EQ(registry.slot("p1", "lookahead/slow").to_vector<double>() == start[1],
                i != 1 || std::string(expression).find("k=2") == std::string::npos);
    }
    const bool outside = std::string(expression).find("k=2") != std::string::npos;
    EXPECT_EQ(registry.slot("p1", outside ? "lookahead2/rollbacks" : "lookahead/rollbacks").item(), 1);

    // From there it takes the way of a new optimizer, but for the outer window of the one that had no rollback.
    if (std::string(expression).find("k=6") != std::string::npos) continue;
    Optimizer anew = make_optimizer(expression, Registry{fresh});
    steps(model, optimizer, 3, 12);
    steps(fresh, anew, 3, 12);
    EXPECT_EQ(weights_of(model), weights_of(fresh)) << expression;
  }
}

TEST(Lookahead, Case19_RollbackReachesWindowsThatDoNotClose) {
  const TestModel model = random_model({{4}, {4}}, 6);
  const Registry registry{model};
  SGD sgd{registry, {.lr = 0.1}};
  Lookahead optimizer{std::move(sgd), {.k = 2, .rollback = true}};
  optimizer.add_group("p1", {{"k", 5}});
  const auto start = weights_of(model);
  for (uint64_t i = 0; i < 2; ++i) {
    give_gradients(model, i);
    if (i == 0) give_gradient(model["p1"], infinity);
    optimizer.step();
  }
  EXPECT_EQ(weights_of(model), start) << "all of the optimizer's weights are looked at, and go back";
  EXPECT_EQ(registry.slot("p1", "lookahead/position").item(), 0);
  for (uint64_t i = 2; i < 4; ++i) {
    give_gradients(model, i);
    optimizer.step();
  }
  EXPECT_EQ(registry.slot("p1", "lookahead/position").item(), 2);
  EXPECT_EQ(registry.slot("p0", "lookahead/rollbacks").item(), 1) << "and what is finite is synced";
}

TEST(Lookahead, Case19_ChecksChangeNothingWhereAllIsFinite) {
  // Also not for what lies around: it sees synced weights.
  for (const std::string around : {"ema(X, decay=0.5)", "swa(X)", "lookahead(X, k=3)", "clip_norm(X)"}) {
    const auto with = [&](const char* inside) {
      std::string expression = around;
      return expression.replace(expression.find('X'), 1, inside);
    };
    const TestModel a = random_model({{5}, {70000}}, 6), b = random_model({{5}, {70000}}, 6);
    Optimizer checked = make_optimizer(with("lookahead(adam(lr=0.1), k=2, rollback=true)"), Registry{a});
    Optimizer plain = make_optimizer(with("lookahead(adam(lr=0.1), k=2)"), Registry{b});
    steps(a, checked, 0, 7);
    steps(b, plain, 0, 7);
    EXPECT_EQ(weights_of(a), weights_of(b)) << around;
    const auto first = checked.evaluation(), second = plain.evaluation();
    EXPECT_EQ(weights_of(a), weights_of(b)) << around;
  }
}

// A parameter, and running statistics that a forward pass would move.
struct Normalised {
  TestModel model{{{"w", full({3}, 1, f32).requires_grad_()}}, {{"mean", full({2}, 4)}, {"count", full({}, 0, i64)}}};
  Registry registry{model};
  Tensor mean = model.buffers[0].tensor, count = model.buffers[1].tensor;
  void forward() {
    for (int i = 0; i < 2; ++i) mean.mutable_data<float>()[i] += 1;
    ++count.mutable_data<int64_t>()[0];
  }
  void train(Optimizer& optimizer, int steps) {
    for (int i = 0; i < steps; ++i) {
      forward();
      optimizer.zero_grad();
      give_gradient(model["w"], 1);
      optimizer.step();
    }
  }
};

TEST(Lookahead, Case24_StatisticsAreLeftAlone) {
  Normalised n;
  Optimizer optimizer = make_optimizer("lookahead(sgd(lr=0.1), k=2)", n.registry);
  n.train(optimizer, 5);
  EXPECT_EQ(n.mean.to_vector<double>(), (std::vector<double>{9, 9}));
  const auto scope = optimizer.evaluation();
  EXPECT_EQ(n.mean.to_vector<double>(), (std::vector<double>{9, 9}));
}

TEST(Lookahead, Case24_StatisticsAreInterpolated) {
  Normalised n;
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=2, alpha=0.25, batch_norm=interpolate, inner_state=pull_back)", n.registry);
  n.train(optimizer, 2);
  EXPECT_EQ(n.mean[0].item(), 4.5) << "a quarter of the way from 4 to 6";
  n.train(optimizer, 1);
  EXPECT_EQ(n.mean[0].item(), 5.5);
  EXPECT_EQ(n.count.item<int64_t>(), 3) << "a count is no statistic";
  {
    const auto scope = optimizer.evaluation();
    EXPECT_EQ(n.mean[0].item(), 4.5);
  }
  EXPECT_EQ(n.mean[0].item(), 5.5);

  Normalised other;
  Optimizer resumed = make_optimizer(optimizer.expression(), other.registry);
  restore(resumed, capture(optimizer));
  n.train(optimizer, 3);
  other.train(resumed, 3);
  EXPECT_EQ(other.mean.to_vector<double>(), n.mean.to_vector<double>());
  EXPECT_EQ(weights_of(other.model), weights_of(n.model));

  // A wrapper's checkpoint gives the inner optimizer the statistics that go with the weights; one of the inner one's starts them anew.
  Normalised plain;
  Optimizer inner = make_optimizer("adam(lr=0.1)", plain.registry);
  n.train(optimizer, 1);
  restore(inner, capture(optimizer));
  optimizer.finish();
  EXPECT_EQ(plain.mean.to_vector<double>(), n.mean.to_vector<double>());
  plain.forward();
  restore(resumed, capture(inner));
  const auto scope = resumed.evaluation();
  EXPECT_EQ(other.mean.to_vector<double>(), plain.mean.to_vector<double>());
}

TEST(Lookahead, Case24_StatisticsThatAreAddedLaterAreInterpolatedToo) {
  Normalised n;
  Optimizer optimizer = make_optimizer("lookahead(sgd(lr=0.1), k=2, batch_norm=interpolate)", n.registry);
  n.train(optimizer, 1);
  Tensor late = full({1}, 7);
  n.registry.add({}, {{"late", late}});
  const auto scope = optimizer.evaluation();
  EXPECT_EQ(late.item(), 7);
}

TEST(Lookahead, Case24_StatisticsAreRecomputedForTheSlowWeights) {
  Normalised n, plain;
  Optimizer optimizer = make_optimizer("lookahead(sgd(lr=0.1), k=4)", n.registry);
  Optimizer reference = make_optimizer("lookahead(sgd(lr=0.1), k=4)", plain.registry);
  n.train(optimizer, 3);
  plain.train(reference, 3);
  const uint64_t counter = default_generator().counter();
  const auto from_data = [&] {
    for (int i = 0; i < 2; ++i) n.mean.mutable_data<float>()[i] = 10 * n.model["w"].to_vector<float>()[0];
    default_generator().next();
  };
  {
    const auto scope = optimizer.evaluation(from_data);
    EXPECT_EQ(n.mean[0].item(), 10) << "of the slow weights, which are 1 still";
    EXPECT_THROW(optimizer.step(), Error);
  }
  EXPECT_EQ(default_generator().counter(), counter);
  EXPECT_EQ(n.mean.to_vector<double>(), plain.mean.to_vector<double>());
  EXPECT_THROW(static_cast<void>(optimizer.evaluation([&] {
                 n.forward();
                 fail("no data");
               })),
               Error);
  n.train(optimizer, 3);
  plain.train(reference, 3);
  EXPECT_EQ(n.mean.to_vector<double>(), plain.mean.to_vector<double>());
  EXPECT_EQ(weights_of(n.model), weights_of(plain.model));
}

// Simultaneous descent and ascent on x y.
template <class StepBoth>
double play(const TestModel& a, const TestModel& b, int rounds, const StepBoth& step_both) {
  const Tensor x = a["x"], y = b["x"];
  for (int i = 0; i < rounds; ++i) {
    for (const Tensor& each : {x, y}) autograd::leaf_of(each)->gradient = {};
    const double to_x = y.item(), to_y = x.item();
    give_gradient(x, to_x);
    give_gradient(y, to_y);
    step_both();
  }
  return std::hypot(x.item(), y.item());
}

TEST(Lookahead, Case25_TwoPlayersArePulledBackAtOnce) {
  const TestModel a = scalar_model(1), b = scalar_model(1);
  {
    SGD descent{Registry{a}, {.lr = 0.1}}, ascent{Registry{b}, {.lr = 0.1, .maximize = true}};
    const auto both = [&] {
      descent.step();
      ascent.step();
    };
    EXPECT_LT(play(a, b, 2707, both), 1e6);
    EXPECT_GT(play(a, b, 1, both), 1e6);
  }
  const TestModel c = scalar_model(1), d = scalar_model(1), e = scalar_model(5), f = scalar_model(5);
  const auto make = [](const TestModel& first, const TestModel& second) {
    return JointLookahead{{.k = 5, .alpha = 0.5}, SGD{Registry{first}, {.lr = 0.1}}, SGD{Registry{second}, {.lr = 0.1, .maximize = true}}};
  };
  JointLookahead players = make(c, d), resumed = make(e, f);
  const auto round_of = [](JointLookahead& joint) {
    return [&joint] {
      for (size_t i = 0; i < joint.size(); ++i) joint[i].step();
      joint.round();
    };
  };
  play(c, d, 3, round_of(players));
  const Checkpoint saved = capture(players[0], {}, {{"second", players[1]}, {"joint", players}});
  EXPECT_LT(play(c, d, 4997, round_of(players)), 1e-8);

  restore(resumed[0], saved, "x", {{"second", resumed[1]}, {"joint", resumed}});
  play(e, f, 4997, round_of(resumed));
  EXPECT_EQ(weights_of(e), weights_of(c)) << "from the middle of a window";
  EXPECT_EQ(weights_of(f), weights_of(d));
}

TEST(Lookahead, Case25_PlayersMayStepAsOftenAsTheyLike) {
  const TestModel a = scalar_model(3), b = scalar_model(3);
  JointLookahead players{{.k = 2, .alpha = 0.5}, SGD{Registry{a}, {.lr = 0.1}}, SGD{Registry{b}, {.lr = 0.1}}};
  for (int round = 0; round < 2; ++round) {
    for (const auto& [player, model, count] : {std::tuple{0U, &a, 1}, {1U, &b, 3}}) {
      for (int i = 0; i < count; ++i) {
        players[player].zero_grad();
        give_gradient((*model)["x"], 1);
        players[player].step();
      }
    }
    EXPECT_NEAR(b["x"].item(), round == 0 ? 2.7 : 2.4, 1e-12);
    players.round();
  }
  EXPECT_NEAR(a["x"].item(), 2.9, 1e-12);
  EXPECT_NEAR(b["x"].item(), 2.7, 1e-12);
  players.finish();
  EXPECT_NEAR(b["x"].item(), 2.7, 1e-12);
  SGD untouched{Registry{scalar_model(1)}};
  EXPECT_THROW((JointLookahead{{.k = 0}, std::move(untouched)}), Error);
  EXPECT_THROW((JointLookahead{{.adaptive = true}, std::move(untouched)}), Error);
  EXPECT_EQ(untouched.lr(), 1e-3);
}

}  // namespace
}  // namespace scry::optim
