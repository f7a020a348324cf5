// What must hold of Lookahead, by number: its path. Golden values are in double precision.

#include "fixture.hpp"

#include <scry/optim/registry_state.hpp>

#include <bit>
#include <cmath>

namespace scry::optim {
namespace {

// x after each step on the gradient `slope x + constant`.
std::vector<double> run(const Tensor& x, Optimizer& optimizer, int steps, double slope, double constant) {
  std::vector<double> path;
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    give_gradient(x, slope * x.item() + constant);
    EXPECT_TRUE(optimizer.step());
    path.push_back(x.item());
  }
  return path;
}

void expect_path(const std::vector<double>& path, const std::vector<double>& golden, double tolerance) {
  ASSERT_EQ(path.size(), golden.size());
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i], golden[i], tolerance) << "step " << i + 1;
}

// The weights after each of some steps on noisy gradients.
std::vector<std::vector<std::vector<double>>> trajectory(const char* expression, int steps, DType dtype = f32) {
  const TestModel model = random_model({{5}, {33}}, 1, dtype);
  Optimizer optimizer = make_optimizer(expression, Registry{model});
  std::vector<std::vector<std::vector<double>>> path;
  for (int i = 0; i < steps; ++i) {
    give_gradients(model, static_cast<uint64_t>(i));
    optimizer.step();
    path.push_back(weights_of(model));
  }
  return path;
}

TEST(Lookahead, Case01_SyncsAfterEveryKSteps) {
  const TestModel model = scalar_model(3);
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1}}, {.k = 3, .alpha = 0.5}};
  expect_path(run(model["x"], optimizer, 9, 0, 1), {2.90, 2.80, 2.85, 2.75, 2.65, 2.70, 2.60, 2.50, 2.55}, 1e-12);
}

TEST(Lookahead, Case02_FirstWindowEndsAlphaOfTheWay) {
  for (const char* inner : {"sgd(lr=0.1)", "adam(lr=0.1)"}) {
    for (const int k : {1, 5, 10, 100}) {
      for (const double alpha : {0.3, 0.7}) {
        const TestModel plain = scalar_model(2), wrapped = scalar_model(2);
        Optimizer alone = make_optimizer(inner, Registry{plain});
        Optimizer optimizer = make_optimizer(text("lookahead(", inner, ", k=", k, ", alpha=", alpha, ")"), Registry{wrapped});
        const double x_k = run(plain["x"], alone, k, 1, 0).back();
        EXPECT_NEAR(run(wrapped["x"], optimizer, k, 1, 0).back(), 2 + alpha * (x_k - 2), 1e-14) << optimizer.expression();
      }
    }
  }
}

TEST(Lookahead, Case03_AlphaOneIsTheInnerOptimizer) {
  for (const DType dtype : {f32, f64}) {
    for (const std::string inner : {"sgd(lr=0.1, momentum=0.9)", "adam(lr=0.1)"}) {
      const auto alone = trajectory(inner.c_str(), 1000, dtype);
      for (const char* policy : {"keep", "pull_back"})
        EXPECT_EQ(trajectory(text("lookahead(", inner, ", k=3, alpha=1, inner_state=", policy, ")").c_str(), 1000, dtype), alone);
    }
  }
}

TEST(Lookahead, Case03_AlphaZeroReturnsToTheStart) {
  const TestModel start = random_model({{5}, {33}}, 1);
  for (const char* policy : {"keep", "pull_back", "reset"}) {
    const auto path = trajectory(text("lookahead(adam(lr=0.1), k=4, alpha=0, inner_state=", policy, ")").c_str(), 40);
    for (size_t i = 0; i < path.size(); ++i) EXPECT_EQ(path[i] == weights_of(start), i % 4 == 3);
  }
}

TEST(Lookahead, Case03_RefusesOptionsOutOfRange) {
  const TestModel model = random_model({{4}}, 2);
  Adam adam{Registry{model}};
  for (const double alpha : {-0.1, 1.1, nan, infinity}) EXPECT_THROW((Lookahead{std::move(adam), {.alpha = alpha}}), Error);
  for (const int64_t k : {0, -3}) EXPECT_THROW((Lookahead{std::move(adam), {.k = k}}), Error);
  try {
    Lookahead{std::move(adam), {.k = 0}};
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "lookahead: k is 0; expected a whole number, at least 1");
  }
  give_gradient(model["p0"], 1);
  EXPECT_TRUE(adam.step()) << "the inner optimizer stays as it was";
  EXPECT_EQ(adam.registry().slots().size(), 3U);
}

TEST(Lookahead, Case04_OneStepWindowsScaleTheLearningRate) {
  const TestModel model = scalar_model(1), half = scalar_model(1);
  Lookahead optimizer{Adam{Registry{model}, {.lr = 0.1}}, {.k = 1, .alpha = 0.5}};
  Adam adam{Registry{half}, {.lr = 0.05}};
  const std::vector<double> golden{0.9500000005, 0.900083243816, 0.850311697172, 0.800752449190};
  expect_path(run(model["x"], optimizer, 4, 1, 0), golden, 1e-12);
  expect_path(run(half["x"], adam, 4, 1, 0), golden, 1e-12);
}

TEST(Lookahead, Case05_MomentumPolicies) {
  const auto path = [](InnerState policy) {
    const TestModel model = scalar_model(1);
    Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1, .momentum = 0.9}}, {.k = 2, .alpha = 0.5, .inner_state = policy}};
    return run(model["x"], optimizer, 8, 1, 0);
  };
  expect_path(path(InnerState::keep), {0.9, 0.86, 0.612, 0.5938, 0.27846, 0.280304, -0.0282132, -0.01137668}, 1e-12);
  expect_path(path(InnerState::pull_back), {0.9, 0.86, 0.693, 0.6667, 0.46071, 0.447974, 0.2293587, 0.22882153}, 1e-12);
  expect_path(path(InnerState::reset), {0.9, 0.86, 0.774, 0.7396, 0.66564, 0.636056, 0.5724504, 0.54700816}, 1e-12);

  const TestModel model = scalar_model(1);
  Lookahead optimizer{Adam{Registry{model}, {.lr = 0.1}}, {.k = 2, .alpha = 0.5}};
  expect_path(run(model["x"], optimizer, 5, 1, 0), {0.900000001, 0.900206114856, 0.800697262691, 0.801034716789, 0.702547041661}, 1e-12);
}

TEST(Lookahead, Case05_PoliciesWorkForAdam) {
  // After a reset a window is a first window: from the point it starts at, Adam with new state and bias correction.
  const TestModel model = scalar_model(1), fresh = scalar_model(1);
  Lookahead optimizer{Adam{Registry{model}, {.lr = 0.1}}, {.k = 2, .alpha = 0.5, .inner_state = InnerState::reset}};
  const auto path = run(model["x"], optimizer, 4, 1, 0);
  Tensor x = fresh["x"];
  x.mutable_data<double>()[0] = path[1];
  Adam adam{Registry{fresh}, {.lr = 0.1}};
  const auto window = run(x, adam, 2, 1, 0);
  EXPECT_EQ(path[2], window[0]);
  EXPECT_NEAR(path[3], path[1] + 0.5 * (window[1] - path[1]), 1e-15);

  // The first moment is pulled back, the second is not.
  const TestModel pulled = scalar_model(1), kept = scalar_model(1);
  const Registry a{pulled}, b{kept};
  Lookahead pulls{Adam{a, {.lr = 0.1}}, {.k = 2, .alpha = 0.25, .inner_state = InnerState::pull_back}};
  Lookahead keeps{Adam{b, {.lr = 0.1}}, {.k = 2, .alpha = 0.25}};
  run(pulled["x"], pulls, 2, 1, 0);
  run(kept["x"], keeps, 2, 1, 0);
  EXPECT_DOUBLE_EQ(a.slot("x", "adam/exp_avg").item(), 0.25 * b.slot("x", "adam/exp_avg").item());
  EXPECT_DOUBLE_EQ(a.slot("x", "adam/exp_avg_sq").item(), b.slot("x", "adam/exp_avg_sq").item());
}

TEST(Lookahead, Case05_PoliciesWorkForEveryOptimizer) {
  const std::vector<Shape> shapes{{6, 3}, {20}};
  const auto step = [](const TestModel& model, Optimizer& optimizer, uint64_t i) {
    give_gradients(model, i);
    optimizer.step();
  };
  for (const std::string& usage : optimizer_usages()) {
    const std::string inner = usage.substr(0, usage.find('('));
    if (usage.find("(optimizer") != std::string::npos) continue;
    const auto wrapped = [&](const char* policy) { return text("lookahead(", inner, ", k=2, alpha=0.25, inner_state=", policy, ")"); };

    // After a reset a window is a first window of a new optimizer.
    const TestModel model = random_model(shapes, 1, f64);
    Optimizer resets = make_optimizer(wrapped("reset"), Registry{model});
    for (uint64_t i = 0; i < 2; ++i) step(model, resets, i);
    const TestModel fresh{{{"p0", (model["p0"].detach() * 1).requires_grad_()}, {"p1", (model["p1"].detach() * 1).requires_grad_()}}, {}};
    Optimizer anew = make_optimizer(inner, Registry{fresh});
    step(model, resets, 2);
    step(fresh, anew, 2);
    EXPECT_EQ(weights_of(model), weights_of(fresh)) << inner;

    // What is pulled back is a quarter of what is kept, after a first window from 0; everything else is kept.
    const TestModel a = random_model(shapes, 2, f64), b = random_model(shapes, 2, f64);
    const Registry kept{a}, pulled{b};
    Optimizer keeps = make_optimizer(wrapped("keep"), kept), pulls = make_optimizer(wrapped("pull_back"), pulled);
    for (uint64_t i = 0; i < 2; ++i) {
      step(a, keeps, i);
      step(b, pulls, i);
    }
    for (const auto& slot : kept.state().slots()) {
      if (slot->kind != SlotKind::elementwise) continue;
      const double share = slot->role == SlotRole::first_moment ? 0.25 : 1;
      const auto whole = kept.slot("p0", slot->name).to_vector<double>(), part = pulled.slot("p0", slot->name).to_vector<double>();
      for (size_t i = 0; i < whole.size(); ++i) EXPECT_DOUBLE_EQ(part[i], share * whole[i]) << slot->name;
    }
  }
}

TEST(Lookahead, Case06_WithoutMomentumPoliciesAreAlike) {
  const auto keep = trajectory("lookahead(sgd(lr=0.1), k=3, inner_state=keep)", 20);
  EXPECT_EQ(trajectory("lookahead(sgd(lr=0.1), k=3, inner_state=pull_back)", 20), keep);
  EXPECT_EQ(trajectory("lookahead(sgd(lr=0.1), k=3, inner_state=reset)", 20), keep);
  const TestModel model = random_model({{4}}, 3);
  const Registry registry{model};
  const Optimizer optimizer = make_optimizer("lookahead(sgd, inner_state=pull_back)", registry);
  std::vector<std::string> names;
  for (const SlotInfo& slot : registry.slots()) names.push_back(slot.name);
  EXPECT_EQ(names, (std::vector<std::string>{"lookahead/slow", "lookahead/position"}));
}

TEST(Lookahead, Case07_AfterASyncFastAndSlowAreTheSameBits) {
  for (const DType dtype : {f32, f64}) {
    for (const double alpha : {0.0, 0.3, 0.5, 1.0}) {
      const TestModel model = random_model({{5}, {33}}, 4, dtype);
      const Registry registry{model};
      Lookahead optimizer{Adam{registry, {.lr = 0.1}}, {.k = 3, .alpha = alpha}};
      for (uint64_t i = 0; i < 9; ++i) {
        give_gradients(model, i);
        optimizer.step();
        if (i % 3 < 2) continue;
        EXPECT_EQ(registry.slot("p1", "lookahead/slow").to_vector<double>(), model["p1"].to_vector<double>());
      }
    }
  }
}

TEST(Lookahead, Case07_EqualWeightsKeepTheirBits) {
  // -0 and infinities too: they would become +0 and NaN in slow + alpha (fast - slow).
  const std::vector<double> special{-0.0, 0.0, infinity, -infinity, 0.1, 5e-324, 1e308};
  for (const double alpha : {0.0, 0.3, 0.5, 1.0}) {
    TestModel model{{{"x", Tensor::of<double>(special, {7}).requires_grad_()}}, {}};
    Lookahead optimizer{SGD{Registry{model}, {.lr = 0}}, {.k = 2, .alpha = alpha}};
    for (int i = 0; i < 4; ++i) {
      give_gradient(model["x"], 0);
      optimizer.step();
    }
    const auto after = model["x"].to_vector<double>();
    for (size_t i = 0; i < special.size(); ++i) EXPECT_EQ(std::bit_cast<uint64_t>(after[i]), std::bit_cast<uint64_t>(special[i])) << special[i];
  }
}

TEST(Lookahead, Case13_RowsWithoutGradientAreSyncedToo) {
  const TestModel model = random_model({{4}, {4}, {4}}, 5, f64);
  const Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 0.1}}, {.k = 3, .alpha = 0.5}};
  const auto start = weights_of(model);
  for (int i = 0; i < 3; ++i) {
    registry.zero_grad();
    give_gradient(model["p0"], 1);
    if (i == 0) give_gradient(model["p1"], 1);  // moves early in the window, and has no gradient at its end
    optimizer.step();
  }
  const auto end = weights_of(model);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(end[0][i], start[0][i] - 0.15, 1e-12);
    EXPECT_NEAR(end[1][i], start[1][i] - 0.05, 1e-12);
  }
  EXPECT_EQ(end[2], start[2]);
  EXPECT_EQ(registry.slot("p1", "lookahead/slow").to_vector<double>(), end[1]);
}

TEST(Lookahead, Case19_InfinityMidWindowStaysOutOfTheSlowWeights) {
  const TestModel model = random_model({{40}}, 6);
  const auto start = weights_of(model);
  const Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 1}}, {.k = 3, .alpha = 0.5}};
  for (int i = 0; i < 2; ++i) {
    registry.zero_grad();
    give_gradient(model["p0"], i == 0 ? infinity : 1);
    optimizer.step();
    EXPECT_EQ(registry.slot("p0", "lookahead/slow").to_vector<double>(), start[0]);
  }
}

TEST(Lookahead, Case21_ATiedParameterIsSyncedOnce) {
  TestModel model = scalar_model(3);
  model.parameters.push_back({"tied", model["x"]});
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1}}, {.k = 3, .alpha = 0.5}};
  expect_path(run(model["x"], optimizer, 6, 0, 1), {2.90, 2.80, 2.85, 2.75, 2.65, 2.70}, 1e-12);
}

TEST(Lookahead, Case22_NothingIsRecorded) {
  const TestModel model = random_model({{4}}, 7);
  const Tensor x = model["p0"];
  const auto* leaf = autograd::leaf_of(x);
  Lookahead optimizer{Adam{Registry{model}, {.lr = 0.1}}, {.k = 1}};
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    sum(x * x).backward();
    optimizer.step();
    EXPECT_EQ(autograd::leaf_of(x), leaf);
    EXPECT_FALSE(x.grad().requires_grad());
    EXPECT_TRUE(grad_enabled());
  }
}

TEST(Lookahead, Case23_WeightDecayWithZeroGradient) {
  // Coupled decay of plain SGD is decoupled decay: a factor 1 - lr wd a step.
  const TestModel model = scalar_model(2);
  const double lr = 0.1, decay = 0.3, alpha = 0.4;
  Lookahead optimizer{SGD{Registry{model}, {.lr = lr, .weight_decay = decay}}, {.k = 5, .alpha = alpha}};
  const auto path = run(model["x"], optimizer, 15, 0, 0);
  const double cycle = 1 - alpha + alpha * std::pow(1 - lr * decay, 5);
  EXPECT_NEAR(path[4], 2 * cycle, 1e-14);
  EXPECT_NEAR(path[14], 2 * cycle * cycle * cycle, 1e-14);
}

}  // namespace
}  // namespace scry::optim
