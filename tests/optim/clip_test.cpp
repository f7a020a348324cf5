#include "fixture.hpp"
#include "support.hpp"

#include <cmath>
#include <optional>

namespace scry::optim {
namespace {

// With SGD and a learning rate of 1 the weights of a model of zeros become the gradient, negated, as the rule inside has seen it.
struct Seen {
  explicit Seen(const char* expression, const std::vector<Shape>& shapes = {{3}, {2, 2}}) {
    for (size_t i = 0; i < shapes.size(); ++i) model.parameters.push_back({text("p", i), zeros(shapes[i], f64).requires_grad_()});
    optimizer.emplace(make_optimizer(expression, Registry{model}));
  }
  bool step(const std::vector<std::vector<double>>& gradients) {
    optimizer->zero_grad();
    for (size_t i = 0; i < gradients.size(); ++i)
      if (!gradients[i].empty()) give_gradient(model.parameters[i].tensor, Tensor::of<double>(gradients[i], model.parameters[i].tensor.shape()));
    return optimizer->step();
  }
  std::vector<std::vector<double>> gradients() const {
    auto all = weights_of(model);
    for (auto& row : all)
      for (double& x : row) x = -x;
    return all;
  }
  TestModel model;
  std::optional<Optimizer> optimizer;
};

void expect_near(const std::vector<std::vector<double>>& seen, const std::vector<std::vector<double>>& expected) {
  for (size_t i = 0; i < expected.size(); ++i)
    for (size_t j = 0; j < expected[i].size(); ++j) EXPECT_NEAR(seen[i][j], expected[i][j], 1e-12) << "row " << i << ", element " << j;
}

TEST(ClipNorm, ScalesAllGradientsTogether) {
  Seen seen("clip_norm(sgd(lr=1), max_norm=2)");
  seen.step({{1, 2, 2}, {0, 4, 0, 0}});  // norm 5
  const double factor = 2 / (5 + 1e-6);
  expect_near(seen.gradients(), {{factor, 2 * factor, 2 * factor}, {0, 4 * factor, 0, 0}});
  EXPECT_EQ(seen.model["p0"].grad().to_vector<double>(), (std::vector<double>{1, 2, 2})) << "in memory they stay";

  Seen small("clip_norm(sgd(lr=1), max_norm=6)");
  small.step({{1, 2, 2}, {0, 4, 0, 0}});
  EXPECT_EQ(small.gradients()[0], (std::vector<double>{1, 2, 2})) << "bit by bit";
}

TEST(ClipNorm, LeavesOutParametersWithoutGradient) {
  Seen seen("clip_norm(sgd(lr=1), max_norm=1)");
  seen.step({{0, 3, 4}, {}});
  expect_near(seen.gradients(), {{0, 0.6 / (1 + 2e-7), 0.8 / (1 + 2e-7)}, {0, 0, 0, 0}});
}

TEST(ClipNorm, GroupsWithANormOfTheirOwnAreClippedByIt) {
  Seen seen("clip_norm(sgd(lr=1), max_norm=100)", {{3}, {2, 2}, {1}});
  seen.optimizer->add_group("p1", {{"max_norm", 1}});
  seen.optimizer->add_group("p2", {{"lr", 0.5}});
  seen.step({{30, 40, 0}, {3, 4, 0, 0}, {200}});
  const double all = 100 / (std::sqrt(50 * 50 + 200 * 200) + 1e-6), own = 1 / (5 + 1e-6);
  expect_near(seen.gradients(), {{30 * all, 40 * all, 0}, {3 * own, 4 * own, 0, 0}, {100 * all}});
}

TEST(ClipNorm, SkipsStepsWithoutAFiniteNorm) {
  for (const double bad : {nan, infinity, -infinity}) {
    Seen seen("lookahead(clip_norm(adam(lr=1)), k=2)");
    EXPECT_FALSE(seen.step({{1, bad, 1}, {1, 1, 1, 1}}));
    expect_near(seen.gradients(), {{0, 0, 0}, {0, 0, 0, 0}});
    EXPECT_EQ(seen.optimizer->steps(), 0);
    EXPECT_EQ(seen.optimizer->registry().slot("p0", "adam/step").item(), 0);
    EXPECT_EQ(seen.optimizer->registry().slot("p0", "lookahead/position").item(), 0);
  }
}

TEST(ClipNorm, DoesNotDependOnThreads) {
  const auto run = [](int threads) {
    const test::Threads count(threads);
    const TestModel model = random_model({{100000}, {7}, {300, 200}}, 1);
    Optimizer optimizer = make_optimizer("clip_norm(sgd(lr=0.1), max_norm=0.5)", Registry{model});
    give_gradients(model, 0);
    optimizer.step();
    return weights_of(model);
  };
  EXPECT_EQ(run(1), run(4));
}

TEST(ClipValue, ClampsElements) {
  Seen seen("clip_value(sgd(lr=1), max_value=0.5)");
  seen.optimizer->add_group("p1", {{"max_value", 2}});
  seen.step({{0.25, 3, -infinity}, {-0.5, -4, 1, 2}});
  EXPECT_EQ(seen.gradients(), (std::vector<std::vector<double>>{{0.25, 0.5, -0.5}, {-0.5, -2, 1, 2}}));
  Seen passes("clip_value(sgd(lr=1), max_value=0.5)");
  passes.step({{nan, 1, 1}, {}});
  EXPECT_TRUE(std::isnan(passes.gradients()[0][0]));
}

TEST(Clip, TheOuterOneComesFirst) {
  Seen value_first("clip_value(clip_norm(sgd(lr=1), max_norm=5), max_value=3)", {{2}});
  value_first.step({{100, 4}});
  const double clamped = 5 / (std::sqrt(18.0) + 1e-6);
  expect_near(value_first.gradients(), {{3 * std::min(1.0, clamped), 3 * std::min(1.0, clamped)}});
  Seen norm_first("clip_norm(clip_value(sgd(lr=1), max_value=3), max_norm=5)", {{2}});
  norm_first.step({{30, 40}});
  expect_near(norm_first.gradients(), {{3 / (1 + 2e-8), 3}});
  Seen thrice("clip_norm(clip_value(clip_norm(sgd(lr=1), max_norm=1), max_value=3), max_norm=5)", {{2}});
  thrice.step({{30, 40}});
  const double x = 30 * 5 / (50 + 1e-6), norm = std::hypot(x, 3);
  expect_near(thrice.gradients(), {{x / (norm + 1e-6), 3 / (norm + 1e-6)}});
}

TEST(AdaptiveClip, ClipsUnitsByTheirWeights) {
  TestModel model;
  model.parameters = {{"matrix", Tensor::of<double>({3, 4, 0, 0.06, 0.08, 0}, {2, 3}).requires_grad_()},
                      {"vector", Tensor::of<double>({0, 0}, {2}).requires_grad_()},
                      {"filter", Tensor::of<double>({1, 1, 1, 1}, {1, 1, 2, 2}).requires_grad_()}};
  const auto before = weights_of(model);
  Optimizer optimizer = make_optimizer("adaptive_clip(sgd(lr=1), clipping=0.1, eps=0.01)", Registry{model});
  give_gradient(model["matrix"], Tensor::of<double>({0, 0, 2, 0.3, 0.4, 0}, {2, 3}));
  give_gradient(model["vector"], Tensor::of<double>({0.3, 0.4}, {2}));
  give_gradient(model["filter"], Tensor::of<double>({0.05, 0.05, 0.05, 0.05}, {1, 1, 2, 2}));
  optimizer.step();
  const std::vector<std::vector<double>> steps{{0, 0, 0.5, 0.006, 0.008, 0}, {0.0006, 0.0008}, {0.05, 0.05, 0.05, 0.05}};
  for (size_t i = 0; i < steps.size(); ++i)
    for (size_t j = 0; j < steps[i].size(); ++j) EXPECT_NEAR(before[i][j] - weights_of(model)[i][j], steps[i][j], 1e-12) << i << ", " << j;
}

TEST(AdaptiveClip, TakesOverWhatIsAroundIt) {
  Seen seen("clip_value(adaptive_clip(sgd(lr=1), clipping=1e6), max_value=0.5)");
  seen.step({{0.25, 3, -2}, {-0.5, -4, 1, 2}});
  EXPECT_EQ(seen.gradients(), (std::vector<std::vector<double>>{{0.25, 0.5, -0.5}, {-0.5, -0.5, 0.5, 0.5}}));
}

TEST(Clip, RefusesOptionsOutOfRange) {
  const TestModel model = random_model({{3}}, 1);
  SGD sgd{Registry{model}};
  EXPECT_FAILS((ClipNorm{std::move(sgd), {.max_norm = -1}}), "clip_norm: max_norm is -1");
  EXPECT_FAILS((ClipNorm{std::move(sgd), {.max_norm = nan}}), "clip_norm: max_norm is nan");
  EXPECT_FAILS((ClipValue{std::move(sgd), {.max_value = infinity}}), "clip_value: max_value is inf");
  EXPECT_FAILS((AdaptiveClip{std::move(sgd), {.eps = -1}}), "adaptive_clip: eps is -1");
  give_gradient(model["p0"], 1);
  EXPECT_TRUE(sgd.step()) << "the inner optimizer stays as it was";
}

}  // namespace
}  // namespace scry::optim
