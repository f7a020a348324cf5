// What must hold of Lookahead, by number: around its path. Growing, skipping, nesting, evaluating, finishing.

#include "fixture.hpp"

#include <scry/optim/rule.hpp>

namespace scry::optim {
namespace {

TEST(Lookahead, Case11_LearningRateDrivesTheInnerOptimizer) {
  const TestModel model = scalar_model(1);
  Lookahead optimizer{Lookahead{SGD{Registry{model}, {.lr = 0.1}}, {.k = 50}}, {.k = 100}};
  EXPECT_EQ(optimizer.lr(), 0.1);
  optimizer.set_lr(0.25);
  give_gradient(model["x"], 1);
  optimizer.step();
  EXPECT_DOUBLE_EQ(model["x"].item(), 0.75);
}

TEST(Lookahead, Case12_ARowAddedMidWindowHasItsOwnWindow) {
  const TestModel model = scalar_model(3), late = scalar_model(3);
  Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 0.1}}, {.k = 3, .alpha = 0.5}};
  std::vector<double> path, late_path;
  for (int i = 0; i < 9; ++i) {
    if (i == 2) registry.add({{"late", late["x"]}});
    registry.zero_grad();
    give_gradient(model["x"], 1);
    if (i >= 2) give_gradient(late["x"], 1);
    optimizer.step();
    path.push_back(model["x"].item());
    if (i >= 2) late_path.push_back(late["x"].item());
  }
  const std::vector<double> golden{2.90, 2.80, 2.85, 2.75, 2.65, 2.70, 2.60, 2.50, 2.55};
  for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i], golden[i], 1e-12);
  for (size_t i = 0; i < late_path.size(); ++i) EXPECT_NEAR(late_path[i], golden[i], 1e-12);
}

// Skips every step whose number is in a list, as a check for finite gradients would.
class SkipRule final : public UpdateRule {
 public:
  SkipRule() : UpdateRule("skip") {}
  void make_slots(RegistryState&, const std::string&) override {}
  bool reduce(StepInput& step) override { return calls_++ % 3 != 1 && UpdateRule::reduce(step); }

 private:
  int calls_ = 0;
};

struct Skip : Optimizer {
  explicit Skip(Optimizer&& inner) : Optimizer(std::move(inner), std::make_unique<SkipRule>()) {}
};

TEST(Lookahead, Case14_ASkippedStepDoesNotCount) {
  for (const bool outside : {true, false}) {
    const TestModel model = scalar_model(3);
    const Registry registry{model};
    SGD sgd{registry, {.lr = 0.1}};
    const LookaheadOptions options{.k = 3, .alpha = 0.5};
    Optimizer optimizer = outside ? Optimizer(Skip{Lookahead{std::move(sgd), options}}) : Optimizer(Lookahead{Skip{std::move(sgd)}, options});
    std::vector<double> path;
    for (int i = 0; i < 9; ++i) {
      registry.zero_grad();
      give_gradient(model["x"], 1);
      if (optimizer.step()) path.push_back(model["x"].item());
    }
    const std::vector<double> golden{2.90, 2.80, 2.85, 2.75, 2.65, 2.70};
    ASSERT_EQ(path.size(), golden.size());
    for (size_t i = 0; i < path.size(); ++i) EXPECT_NEAR(path[i], golden[i], 1e-12);
    EXPECT_EQ(optimizer.steps(), 6);
  }
}

// Two nested Lookaheads on a constant gradient of 1, written out.
std::vector<double> nested_path(int inner_k, int outer_k, int count) {
  double x = 3, inner_slow = 3, outer_slow = 3;
  std::vector<double> path;
  for (int i = 1; i <= count; ++i) {
    x -= 0.1;
    if (i % inner_k == 0) x = inner_slow = inner_slow + 0.5 * (x - inner_slow);
    if (i % outer_k == 0) x = inner_slow = outer_slow = outer_slow + 0.5 * (x - outer_slow);
    path.push_back(x);
  }
  return path;
}

TEST(Lookahead, Case15_NestedOnesMoveTheInnerSlowWeights) {
  for (const auto& [inner_k, outer_k] : {std::pair{2, 4}, {3, 2}, {2, 5}, {4, 1}}) {
    const TestModel model = scalar_model(3);
    const Registry registry{model};
    Lookahead optimizer{Lookahead{SGD{registry, {.lr = 0.1}}, {.k = inner_k, .alpha = 0.5}}, {.k = outer_k, .alpha = 0.5}};
    const auto golden = nested_path(inner_k, outer_k, 12);
    for (int i = 1; i <= 12; ++i) {
      registry.zero_grad();
      give_gradient(model["x"], 1);
      optimizer.step();
      EXPECT_NEAR(model["x"].item(), golden[static_cast<size_t>(i - 1)], 1e-12) << inner_k << " in " << outer_k << ", step " << i;
      if (i % outer_k != 0) continue;
      EXPECT_EQ(registry.slot("x", "lookahead/slow").item(), model["x"].item());
    }
    EXPECT_EQ(optimizer.expression(), text("lookahead(lookahead(sgd(lr=0.1), k=", inner_k, ", alpha=0.5), k=", outer_k, ", alpha=0.5)"));
  }
}

TEST(Lookahead, Case15_NestedOnesMoveTheInnerMomentumAnchorToo) {
  const TestModel model = scalar_model(3);
  Optimizer optimizer = make_optimizer("lookahead(lookahead(sgd(lr=0.1, momentum=0.9), k=3, inner_state=pull_back), k=2)", Registry{model});
  double x = 3, m = 0, inner_slow = 3, anchor = 0, outer_slow = 3;
  for (int i = 1; i <= 12; ++i) {
    m = 0.9 * m + x;
    x -= 0.1 * m;
    if (i % 3 == 0) {
      x = inner_slow += 0.5 * (x - inner_slow);
      m = anchor += 0.5 * (m - anchor);
    }
    if (i % 2 == 0) {
      x = inner_slow = outer_slow += 0.5 * (x - outer_slow);
      anchor = m;
    }
    optimizer.zero_grad();
    give_gradient(model["x"], model["x"].item());
    optimizer.step();
    EXPECT_NEAR(model["x"].item(), x, 1e-12) << "step " << i;
  }
}

TEST(Lookahead, Case15_WrappingALookaheadMidWindowKeepsItsSlowWeights) {
  const TestModel model = random_model({{4}}, 1);
  const Registry registry{model};
  Lookahead inner{SGD{registry, {.lr = 0.1}}, {.k = 5}};
  steps(model, inner, 0, 3);
  const auto slow = registry.slot("p0", "lookahead/slow").to_vector<float>();
  const Lookahead outer{std::move(inner), {.k = 7}};
  EXPECT_EQ(registry.slot("p0", "lookahead/slow").to_vector<float>(), slow);
  EXPECT_EQ(registry.slot("p0", "lookahead2/slow").to_vector<float>(), model["p0"].to_vector<float>());
}

TEST(Lookahead, Case16_EvaluationSwapsInPlaceAndChangesNothing) {
  const TestModel plain = random_model({{5}, {40}}, 2), watched = random_model({{5}, {40}}, 2);
  const Registry registry{watched};
  Optimizer a = make_optimizer("lookahead(adam(lr=0.1), k=4, inner_state=pull_back)", Registry{plain});
  Optimizer b = make_optimizer("lookahead(adam(lr=0.1), k=4, inner_state=pull_back)", registry);
  for (uint64_t i = 0; i < 12; ++i) {
    steps(plain, a, i, i + 1);
    steps(watched, b, i, i + 1);
    const auto fast = weights_of(watched);
    const auto slow = registry.slot("p1", "lookahead/slow").to_vector<double>();
    const void* where = watched["p1"].raw();
    {
      const auto scope = b.evaluation();
      EXPECT_EQ(watched["p1"].to_vector<double>(), slow);
      EXPECT_EQ(watched["p1"].raw(), where);
      {
        const auto nested = b.evaluation();
        EXPECT_EQ(watched["p1"].to_vector<double>(), slow);
      }
      EXPECT_EQ(watched["p1"].to_vector<double>(), slow);
      EXPECT_THROW(b.step(), Error);
      EXPECT_THROW(b.finish(), Error);
      EXPECT_THROW((Lookahead{std::move(b), {}}), Error);
    }
    EXPECT_EQ(weights_of(watched), fast);
    EXPECT_EQ(weights_of(watched), weights_of(plain));
  }
}

TEST(Lookahead, Case16_AnExceptionInsideRestores) {
  const TestModel model = random_model({{5}}, 3);
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1}}, {.k = 5}};
  steps(model, optimizer, 0, 2);
  const auto fast = weights_of(model);
  try {
    const auto scope = optimizer.evaluation();
    EXPECT_NE(weights_of(model), fast);
    fail("something went wrong");
  } catch (const Error&) {
  }
  EXPECT_EQ(weights_of(model), fast);
  steps(model, optimizer, 2, 3);
}

TEST(Lookahead, Case16_AScopeOutlivesItsOptimizer) {
  const TestModel model = random_model({{5}}, 3);
  auto optimizer = std::make_unique<Lookahead>(SGD{Registry{model}, {.lr = 0.1}}, LookaheadOptions{});
  steps(model, *optimizer, 0, 2);
  const auto fast = weights_of(model);
  {
    const auto scope = optimizer->evaluation();
    optimizer.reset();
  }
  EXPECT_EQ(weights_of(model), fast);
}

TEST(Lookahead, Case16_PlainOptimizersHaveScopesToo) {
  const TestModel model = random_model({{5}}, 3);
  Adam optimizer{Registry{model}};
  const auto before = weights_of(model);
  const auto scope = optimizer.evaluation();
  EXPECT_EQ(weights_of(model), before);
  EXPECT_THROW(optimizer.step(), Error);
}

TEST(Lookahead, Case17_FinishLeavesTheSlowWeights) {
  for (const char* expression : {"lookahead(adam(lr=0.1), k=5)", "lookahead(lookahead(adam(lr=0.1), k=3), k=5)"}) {
    const TestModel model = random_model({{5}, {40}}, 4);
    const Registry registry{model};
    Optimizer optimizer = make_optimizer(expression, registry);
    steps(model, optimizer, 0, 8);
    std::vector<std::vector<double>> slow;
    {
      const auto scope = optimizer.evaluation();
      slow = weights_of(model);
    }
    EXPECT_NE(weights_of(model), slow);
    optimizer.finish();
    EXPECT_EQ(weights_of(model), slow);
    optimizer.finish();
    EXPECT_EQ(weights_of(model), slow);
    EXPECT_EQ(registry.slot("p0", "lookahead/slow").to_vector<double>(), slow[0]);
    EXPECT_EQ(registry.slot("p0", "lookahead/position").item(), 0);
  }
}

TEST(Lookahead, Case18_ExtraMemoryIsTheSlowCopy) {
  const auto state_bytes = [](const char* expression) {
    const TestModel model = random_model({{64, 64}}, 5);
    const Registry registry{model};
    const Optimizer optimizer = make_optimizer(expression, registry);
    int64_t bytes = 0;
    for (const SlotInfo& slot : registry.slots()) bytes += slot.bytes;
    return bytes;
  };
  const int64_t weights = 64 * 64 * 4, number = 8;
  EXPECT_EQ(state_bytes("sgd"), 0);
  EXPECT_EQ(state_bytes("adam"), 2 * weights + number);
  EXPECT_EQ(state_bytes("lookahead(adam)"), 3 * weights + 2 * number);
  EXPECT_EQ(state_bytes("lookahead(adam, inner_state=reset)"), 3 * weights + 2 * number);
  EXPECT_EQ(state_bytes("lookahead(adam, inner_state=pull_back)"), 4 * weights + 2 * number);
  EXPECT_EQ(state_bytes("lookahead(adam, rollback=true)"), 3 * weights + 3 * number);
  EXPECT_EQ(state_bytes("lookahead(adam, outer_momentum=0.5)"), 4 * weights + 2 * number);
  EXPECT_EQ(state_bytes("lookahead(adam, adaptive=true)"), 4 * weights + 2 * number);
}

TEST(Lookahead, TheCirculatingSnippetsChecks) {
  // lr = 0 leaves the weights alone; a synced weight lies between the window's ends. (alpha = 1 is case 3.)
  const TestModel model = random_model({{50}}, 6, f64);
  const auto start = weights_of(model);
  const Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 0, .momentum = 0.9}}, {.k = 2}};
  steps(model, optimizer, 0, 10);
  EXPECT_EQ(weights_of(model), start);

  optimizer.set_lr(0.1);
  for (uint64_t window = 0; window < 5; ++window) {
    const auto slow = weights_of(model)[0];
    steps(model, optimizer, 2 * window, 2 * window + 1);
    give_gradients(model, 2 * window + 1);
    const auto velocity = registry.slot("p0", "sgd/momentum_buffer").to_vector<double>();
    const auto g = model["p0"].grad().to_vector<double>();
    const auto before = weights_of(model)[0];
    optimizer.step();
    for (size_t i = 0; i < slow.size(); ++i) {
      const double fast = before[i] - 0.1 * (0.9 * velocity[i] + g[i]), synced = weights_of(model)[0][i];
      EXPECT_LE(synced, std::max(fast, slow[i]) + 1e-15);
      EXPECT_GE(synced, std::min(fast, slow[i]) - 1e-15);
    }
  }
}

}  // namespace
}  // namespace scry::optim
