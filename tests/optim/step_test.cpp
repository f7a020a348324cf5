#include "fixture.hpp"

#include <gmock/gmock.h>

namespace scry::optim {
namespace {

/// The weights after some steps of an optimizer over rows that are cut from the same numbers.
std::vector<double> concatenated(const std::vector<int64_t>& sizes, const char* expression, int count, DType dtype = f32) {
  int64_t total = 0;
  for (const int64_t size : sizes) total += size;
  Generator generator(7);
  const Tensor values = randn({total}, dtype, generator), gradients = randn({total}, dtype, generator);
  TestModel model;
  std::vector<Tensor> parts;
  int64_t at = 0;
  for (const int64_t size : sizes) {
    const NoGrad no_grad;
    parts.push_back(slice(gradients, 0, at, at + size));
    model.parameters.push_back({text("p", at), add(slice(values, 0, at, at + size), zeros({size}, dtype)).requires_grad_()});
    at += size;
  }
  Optimizer optimizer = make_optimizer(expression, Registry{model});
  for (int i = 0; i < count; ++i) {
    optimizer.zero_grad();
    for (size_t p = 0; p < parts.size(); ++p) give_gradient(model.parameters[p].tensor, parts[p]);
    optimizer.step();
  }
  std::vector<double> all;
  for (const auto& part : weights_of(model)) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(Step, DoesNotDependOnHowRowsAreCut) {
  for (const DType dtype : {f32, f64}) {
    for (const char* expression : {"adam(lr=0.1)", "lookahead(sgd(lr=0.1, momentum=0.9), k=2)"}) {
      const auto whole = concatenated({50000}, expression, 3, dtype);
      EXPECT_EQ(concatenated(std::vector<int64_t>(500, 100), expression, 3, dtype), whole);
      EXPECT_EQ(concatenated({1, 31999, 17, 17983}, expression, 3, dtype), whole);
    }
  }
}

TEST(Step, DoesNotDependOnTheNumberOfThreads) {
  for (const char* expression : {"lookahead(adam(lr=0.1), k=2)", "lamb(lr=0.1)", "muon(lr=0.1)", "adaptive_clip(accumulate(sgd(lr=0.1), n=2))"}) {
    const auto run = [&](int threads) {
      set_thread_count(threads);
      const TestModel model = random_model({{100000}, {3}, {96, 130}, {130, 96}}, 1);
      Optimizer optimizer = make_optimizer(expression, Registry{model});
      for (uint64_t i = 0; i < 4; ++i) {
        give_gradients(model, i);
        optimizer.step();
      }
      return weights_of(model);
    };
    const int threads = thread_count();
    const auto one = run(1), four = run(4);
    set_thread_count(threads);
    EXPECT_EQ(one, four) << expression;
  }
}

TEST(Step, LeavesPaddingZero) {
  const TestModel model = random_model({{3}, {17}}, 1);
  const Registry registry{model};
  Lookahead optimizer{Adam{registry, {.lr = 0.1}}, {.k = 2, .inner_state = InnerState::pull_back}};
  for (uint64_t i = 0; i < 5; ++i) {
    give_gradients(model, i);
    optimizer.step();
  }
  for (const char* name : {"p0", "p1"}) {
    const Row& row = registry.row(name);
    for (const SlotInfo& slot : registry.slots()) {
      const Tensor part = registry.slot(name, slot.name);
      if (part.rank() == 0) continue;
      for (int64_t i = row.value.numel(); i < row.padded; ++i) EXPECT_EQ(part.data<float>()[i], 0) << slot.name;
    }
    for (int64_t i = row.value.numel(); i < row.padded; ++i) EXPECT_EQ(row.value.data<float>()[i], 0);
  }
}

TEST(Step, RowsWithoutGradientAreSkippedAndDoNotCount) {
  const TestModel model = random_model({{4}, {4}, {4}}, 2);
  const Registry registry{model};
  Adam optimizer{registry, {.lr = 0.1}};
  const auto before = weights_of(model);
  give_gradient(model["p0"], 1);
  give_gradient(model["p2"], 1);
  EXPECT_TRUE(optimizer.step());
  EXPECT_EQ(weights_of(model)[1], before[1]);
  EXPECT_THAT(optimizer.skipped(), testing::ElementsAre("p1"));

  // p1's first step is as large as the others' first, whatever they have done.
  give_gradient(model["p1"], 1);
  optimizer.step();
  EXPECT_NEAR(weights_of(model)[1][0], before[1][0] - 0.1, 1e-6);
  EXPECT_EQ(registry.slot("p0", "adam/step").item(), 2);
  EXPECT_EQ(registry.slot("p1", "adam/step").item(), 1);
  EXPECT_TRUE(optimizer.skipped().empty());
}

std::vector<std::string> reports;

TEST(Step, ReportsSkippedParametersOnceByName) {
  TestModel model = random_model({{4}, {4}, {4}, {4}}, 2);
  model["p3"].requires_grad_(false);
  Adam optimizer{Registry{model}};
  reports.clear();
  optimizer.report_skipped_to([](const std::string& message) { reports.push_back(message); });
  EXPECT_FALSE(optimizer.step());
  EXPECT_TRUE(reports.empty()) << "nothing was stepped, so nothing was left out";
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    give_gradient(model[i == 0 ? "p2" : "p0"], 1);
    optimizer.step();
  }
  EXPECT_THAT(reports, testing::ElementsAre("optimizer: no gradient reached 'p0', 'p1'; left alone (this is said once)",
                                            "optimizer: no gradient reached 'p2'; left alone (this is said once)"));
}

TEST(Step, WithoutAnyGradientIsNoStep) {
  const TestModel model = random_model({{4}}, 3);
  SGD optimizer{Registry{model}};
  EXPECT_FALSE(optimizer.step());
  EXPECT_EQ(optimizer.steps(), 0);
}

TEST(Step, ZeroGradientIsNotNoGradient) {
  const TestModel model = random_model({{4}}, 3);
  const auto before = weights_of(model);
  SGD optimizer{Registry{model}, {.lr = 0.1, .weight_decay = 0.5}};
  give_gradient(model["p0"], 0);
  EXPECT_TRUE(optimizer.step());
  EXPECT_NEAR(weights_of(model)[0][0], before[0][0] * 0.95, 1e-6);
}

TEST(Step, TakesGradientsOfCreateGraph) {
  const TestModel model = scalar_model(3);
  const Tensor x = model["x"];
  SGD optimizer{Registry{model}, {.lr = 0.1}};
  const Tensor loss[] = {sum(x * x)};
  backward(loss, {}, {.create_graph = true});
  EXPECT_TRUE(x.grad().requires_grad());
  optimizer.step();
  EXPECT_DOUBLE_EQ(x.item(), 3 - 0.6);
  optimizer.zero_grad();  // or the leaf and its gradient's graph own each other
}

TEST(Step, IsNoticedByTheTape) {
  const TestModel model = random_model({{4}}, 4);
  SGD optimizer{Registry{model}};
  give_gradient(model["p0"], 1);
  const Tensor loss = sum(model["p0"] * model["p0"]);
  optimizer.step();
  EXPECT_THROW(loss.backward(), Error) << "the product's saved values have changed";
}

TEST(Step, HasFloatsAndDoublesSideBySide) {
  TestModel model = random_model({{4}}, 5);
  model.parameters.push_back({"d", full({3}, 1, f64).requires_grad_()});
  SGD optimizer{Registry{model}, {.lr = 0.25}};
  give_gradient(model["d"], 2);
  give_gradient(model["p0"], 0);
  optimizer.step();
  EXPECT_EQ(weights_of(model)[1], std::vector<double>(3, 0.5));
}

TEST(Step, LearningRateCanChange) {
  const TestModel model = scalar_model(1);
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.1}}, {.k = 100}};
  optimizer.set_lr(0.5);
  EXPECT_EQ(optimizer.lr(), 0.5);
  give_gradient(model["x"], 1);
  optimizer.step();
  EXPECT_DOUBLE_EQ(model["x"].item(), 0.5);
  EXPECT_EQ(optimizer.expression(), "lookahead(sgd(lr=0.1), k=100, alpha=0.5)") << "as given, not as changed";
  EXPECT_THROW(optimizer.set_lr(-1), Error);
  EXPECT_THROW(optimizer.set("beta1", 0.5), Error);
  EXPECT_EQ(optimizer.lr(), 0.5);
}

TEST(Step, OptionsOutOfRangeAreRefused) {
  const TestModel model = random_model({{4}}, 6);
  const Registry registry{model};
  for (const double lr : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW((SGD{registry, {.lr = lr}}), Error);
    EXPECT_THROW((Adam{registry, {.lr = lr}}), Error);
  }
  for (const double beta : {-0.1, 1.0, nan}) {
    EXPECT_THROW((Adam{registry, {.beta1 = beta}}), Error);
    EXPECT_THROW((Adam{registry, {.beta2 = beta}}), Error);
  }
  EXPECT_THROW((Adam{registry, {.eps = -1}}), Error);
  EXPECT_THROW((Adam{registry, {.weight_decay = -1}}), Error);
  EXPECT_THROW((SGD{registry, {.momentum = -0.5}}), Error);
  EXPECT_THROW((SGD{registry, {.nesterov = true}}), Error);
  try {
    Adam{registry, {.beta2 = 1}};
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "adam: beta2 is 1; expected a number from 0 up to but not including 1");
  }
  EXPECT_NO_THROW(Adam{registry}) << "a refused one leaves the registry free";
}

TEST(Step, MovedFromOptimizersSaySo) {
  const TestModel model = random_model({{4}}, 7);
  SGD first{Registry{model}};
  Optimizer second = std::move(first);
  EXPECT_THROW(first.step(), Error);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.steps(), 0);
}

}  // namespace
}  // namespace scry::optim
