// What must hold of Lookahead, by number. Golden values are in double precision.

#include "fixture.hpp"

namespace scry::optim {
namespace {

/// x after each step on the gradient `slope x + constant`.
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

TEST(Lookahead, Case01_SyncsAfterEveryKSteps) {
  const TestModel model = scalar_model(3);
  Lookahead optimizer{Sgd{Registry{model}, {.lr = 0.1}}, {.k = 3, .alpha = 0.5}};
  expect_path(run(model["x"], optimizer, 9, 0, 1), {2.90, 2.80, 2.85, 2.75, 2.65, 2.70, 2.60, 2.50, 2.55}, 1e-12);
}

TEST(Lookahead, Case05_MomentumPolicies) {
  const auto path = [](InnerState policy) {
    const TestModel model = scalar_model(1);
    Lookahead optimizer{Sgd{Registry{model}, {.lr = 0.1, .momentum = 0.9}}, {.k = 2, .alpha = 0.5, .inner_state = policy}};
    return run(model["x"], optimizer, 8, 1, 0);
  };
  expect_path(path(InnerState::keep), {0.9, 0.86, 0.612, 0.5938, 0.27846, 0.280304, -0.0282132, -0.01137668}, 1e-12);
  expect_path(path(InnerState::pull_back), {0.9, 0.86, 0.693, 0.6667, 0.46071, 0.447974, 0.2293587, 0.22882153}, 1e-12);
  expect_path(path(InnerState::reset), {0.9, 0.86, 0.774, 0.7396, 0.66564, 0.636056, 0.5724504, 0.54700816}, 1e-12);

  const TestModel model = scalar_model(1);
  Lookahead optimizer{Adam{Registry{model}, {.lr = 0.1}}, {.k = 2, .alpha = 0.5}};
  expect_path(run(model["x"], optimizer, 5, 1, 0), {0.900000001, 0.900206114856, 0.800697262691, 0.801034716789, 0.702547041661}, 1e-11);
}

}  // namespace
}  // namespace scry::optim
