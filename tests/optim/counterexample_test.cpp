// The snippet that circulates under Lookahead's name, as an optimizer of one's own: it fails exactly the three checks that tell the two apart.

#include "fixture.hpp"

#include <cmath>

#include "../../examples/lookahead_checks/snippet.hpp"

namespace scry::optim {
namespace {

constexpr double k = 5;

Optimizer make(const Registry& registry, bool snippet, double lr, double alpha) {
  if (snippet) return Snippet{registry, {.lr = lr, .k = k, .alpha = alpha}};
  return Lookahead{SGD{registry, {.lr = lr}}, {.k = static_cast<int64_t>(k), .alpha = alpha}};
}

// x after each step on ½ a x² from 1.
std::vector<double> path(Optimizer&& optimizer, const Tensor& x, int steps, double a = 1) {
  std::vector<double> all;
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    give_gradient(x, a * x.item());
    optimizer.step();
    all.push_back(x.item());
  }
  return all;
}
std::vector<double> path(bool snippet, double lr, double alpha, int steps, double a = 1) {
  const TestModel model = scalar_model(1);
  return path(make(Registry{model}, snippet, lr, alpha), model["x"], steps, a);
}
std::vector<double> sgd_path(double lr, int steps) {
  const TestModel model = scalar_model(1);
  return path(SGD{Registry{model}, {.lr = lr}}, model["x"], steps);
}

TEST(Counterexample, FailsExactlyTheThreeChecks) {
  for (const bool snippet : {false, true}) {
    EXPECT_EQ(path(snippet, 0.1, 1, 10) == sgd_path(0.1, 10), !snippet) << "alpha = 1 must equal the inner optimizer";
    EXPECT_EQ(path(snippet, 0, 0.5, 10) == std::vector<double>(10, 1), !snippet) << "lr = 0 must leave the weights alone";
    const double synced = path(snippet, 0.1, 0.5, 5).back(), inner = sgd_path(0.1, 5).back();
    EXPECT_EQ(inner <= synced && synced <= 1, !snippet) << "a synced weight must lie between the window's ends";

    // It is an optimizer like any other for the rest.
    const TestModel whole = random_model({{40}, {3}}, 1), part = random_model({{40}, {3}}, 2);
    Optimizer first = make(Registry{whole}, snippet, 1e-3, 0.5), second = make(Registry{part}, snippet, 1e-3, 0.5);
    const auto steps = [](const TestModel& model, Optimizer& optimizer, uint64_t from, uint64_t to) {
      for (uint64_t i = from; i < to; ++i) {
        give_gradients(model, i);
        EXPECT_TRUE(optimizer.step());
      }
    };
    steps(whole, first, 0, 3);
    restore(second, capture(first));
    steps(whole, first, 3, 6);
    steps(part, second, 3, 6);
    EXPECT_EQ(weights_of(part), weights_of(whole));
    EXPECT_EQ(first.steps(), 6);
  }
}

// The larger eigenvalue of (x, s) -> (x + (k - lr) a x - s, alpha s + (1 - alpha) a x).
double growth(double lr, double alpha, double a) {
  const double trace = 1 + (k - lr) * a + alpha, determinant = (1 + (k - lr) * a) * alpha + (1 - alpha) * a;
  return (trace + std::sqrt(trace * trace - 4 * determinant)) / 2;
}

TEST(Counterexample, DivergesAsComputed) {
  EXPECT_NEAR(growth(1e-3, 0.5, 1), 5.9, 0.05);
  for (const double lr : {0.0, 1e-3, 0.1, 3.9}) {
    for (const double alpha : {0.0, 0.5, 0.9}) {
      for (const double a : {0.01, 1.0, 10.0}) {
        const auto x = path(true, lr, alpha, 400, a);
        const size_t last = static_cast<size_t>(std::min(399.0, 600 / std::log(growth(lr, alpha, a))));  // before doubles overflow
        EXPECT_GT(growth(lr, alpha, a), 1);
        EXPECT_NEAR(x[last] / x[last - 1], growth(lr, alpha, a), 1e-6 * growth(lr, alpha, a)) << lr << ' ' << alpha << ' ' << a;
      }
    }
  }
}

}  // namespace
}  // namespace scry::optim
