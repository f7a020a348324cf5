#include "fixture.hpp"
#include "support.hpp"

#include <cmath>

namespace scry::optim {
namespace {

// One weight from 8, moved by -1 a step.
struct Walk {
  explicit Walk(const std::string& expression) : optimizer(make_optimizer(expression, Registry{model})) {}
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      optimizer.zero_grad();
      give_gradient(model["x"], 1);
      optimizer.step();
    }
  }
  double average() const {
    const auto scope = optimizer.evaluation();
    return model["x"].item();
  }
  TestModel model = scalar_model(8);
  Optimizer optimizer;
};

TEST(EMA, FollowsTheWeights) {
  Walk walk("ema(sgd(lr=1), decay=0.75)");
  double expected = 8;
  for (int i = 1; i <= 5; ++i) {
    walk.steps(1);
    expected += 0.25 * (8 - i - expected);
    EXPECT_DOUBLE_EQ(walk.average(), expected);
    EXPECT_EQ(walk.model["x"].item(), 8 - i);
  }
  walk.optimizer.finish();
  EXPECT_DOUBLE_EQ(walk.model["x"].item(), expected);
  walk.optimizer.finish();
  EXPECT_DOUBLE_EQ(walk.model["x"].item(), expected);
}

TEST(EMA, StartsLateWarmsUpAndLeavesStepsOut) {
  Walk late("ema(sgd(lr=1), decay=0.5, start=2, every=3)");
  late.steps(2);
  EXPECT_EQ(late.average(), 6);
  late.steps(2);
  EXPECT_EQ(late.average(), 6);
  late.steps(1);
  EXPECT_EQ(late.average(), 6 + 0.5 * (3 - 6));

  Walk warm("ema(sgd(lr=1), decay=0.25, warmup=true)");
  double expected = 8;
  for (int n = 1; n <= 4; ++n) {
    warm.steps(1);
    expected += (1 - std::min(0.25, (1.0 + n) / (10 + n))) * (8 - n - expected);
    EXPECT_DOUBLE_EQ(warm.average(), expected);
  }
}

TEST(EMA, IsAnAverageOfWeightsWithoutGradientToo) {
  const TestModel model = random_model({{40}, {3}}, 1, f64);
  const Registry registry{model};
  Optimizer optimizer = make_optimizer("ema(sgd(lr=1), decay=0.5)", registry);
  const auto start = weights_of(model);
  for (int i = 0; i < 3; ++i) {
    registry.zero_grad();
    if (i == 0) give_gradient(model["p0"], 1);
    give_gradient(model["p1"], 0);
    optimizer.step();
  }
  for (size_t i = 0; i < 40; ++i) EXPECT_NEAR(registry.slot("p0", "ema/average").to_vector<double>()[i], start[0][i] - 0.875, 1e-12);
  EXPECT_EQ(weights_of(model)[1], start[1]) << "what never moved keeps its bits";
}

TEST(SWA, IsTheMeanOfEveryFewWeights) {
  Walk from_start("swa(sgd(lr=1))");
  EXPECT_EQ(from_start.average(), 8);
  from_start.steps(4);
  EXPECT_DOUBLE_EQ(from_start.average(), 6) << "8, 7, 6, 5 and 4";

  Walk late("swa(sgd(lr=1), start=2, every=2)");
  late.steps(1);
  EXPECT_EQ(late.average(), 7);
  late.steps(2);
  EXPECT_EQ(late.average(), 6);
  late.steps(3);
  EXPECT_DOUBLE_EQ(late.average(), 4) << "6, 4 and 2";
}

TEST(SWA, GroupsAverageTheirOwnWay) {
  const TestModel model = random_model({{1}, {1}}, 2, f64);
  const auto start = weights_of(model);
  Optimizer optimizer = make_optimizer("swa(sgd(lr=1))", Registry{model});
  optimizer.add_group("p1", {{"start", 1}});
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    for (const char* name : {"p0", "p1"}) give_gradient(model[name], 1);
    optimizer.step();
  }
  const auto scope = optimizer.evaluation();
  EXPECT_DOUBLE_EQ(weights_of(model)[0][0], start[0][0] - 1);
  EXPECT_DOUBLE_EQ(weights_of(model)[1][0], start[1][0] - 1.5);
}

TEST(Average, AroundAndInsideLookahead) {
  Walk around("ema(lookahead(sgd(lr=1), k=2, alpha=0.5), decay=0.5)");
  around.steps(2);  // 7, then 8 + 0.5 (6 - 8) = 7
  EXPECT_EQ(around.model["x"].item(), 7);
  EXPECT_EQ(around.average(), 7.25);
  around.optimizer.finish();
  EXPECT_EQ(around.model["x"].item(), 7.25);
  EXPECT_EQ(around.optimizer.registry().slot("x", "lookahead/slow").item(), 7.25) << "the inner one starts anew from there";

  Walk inside("lookahead(ema(sgd(lr=1), decay=0.5), k=2, alpha=0.5)");
  inside.steps(2);
  EXPECT_EQ(inside.average(), 7) << "the outermost average counts";
  EXPECT_EQ(inside.optimizer.registry().slot("x", "ema/average").item(), 8 - 0.5 - 0.75) << "a sync is no new start for the average inside";
}

TEST(Average, RefusesOptionsOutOfRange) {
  const TestModel model = random_model({{3}}, 3);
  SGD sgd{Registry{model}};
  EXPECT_FAILS((EMA{std::move(sgd), {.decay = 1}}), "ema: decay is 1");
  EXPECT_FAILS((EMA{std::move(sgd), {.every = 0}}), "ema: every is 0");
  EXPECT_FAILS((SWA{std::move(sgd), {.start = -1}}), "swa: start is -1");
}

}  // namespace
}  // namespace scry::optim
