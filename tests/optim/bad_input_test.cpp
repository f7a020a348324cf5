// What is wrong is refused, or left out as documented, and everything is as it was before; for every optimizer that has a name.

#include "fixture.hpp"
#include "support.hpp"

#include <scry/optim/engine.hpp>
#include <gmock/gmock.h>

#include <cmath>

namespace scry::optim {
namespace {

// "adam" and "ema(sgd)", and so on.
std::vector<std::string> everything() {
  std::vector<std::string> all;
  for (const std::string& usage : optimizer_usages()) {
    const std::string name = usage.substr(0, usage.find('('));
    all.push_back(usage.find("(optimizer") == std::string::npos ? name : name + "(sgd)");
  }
  return all;
}

TEST(BadInput, NoOptionTakesWhatIsOutOfItsRange) {
  const TestModel model = random_model({{3}, {2, 2}}, 1);
  int refused = 0;
  for (const std::string& expression : everything()) {
    Optimizer optimizer = make_optimizer(expression, Registry{model});
    optimizer.add_group("p0", {{"lr", 0.5}});
    const UpdateRule& rule = optimizer.engine().rule();
    for (const Hyperparameter& option : rule.hyperparameters()) {
      const std::string name = text(rule.name(), "/", option.name);
      std::vector<double> bad{nan, infinity, option.range.low - 1, 2 * option.range.high + 1};
      if (option.range.below_high) bad.push_back(option.range.high);
      if (option.kind != Hyperparameter::Kind::number) bad.push_back(0.5);
      if (option.kind == Hyperparameter::Kind::choice || option.kind == Hyperparameter::Kind::flag) bad.push_back(-1);
      for (const double value : bad) {
        if (std::isinf(value) && std::isinf(option.range.low) && value < 0) continue;
        for (const char* group : {"", "p0"}) {
          const double before = optimizer.get(name, group);
          EXPECT_THROW(optimizer.set(name, value, group), Error) << expression << ' ' << name << " = " << value;
          EXPECT_EQ(optimizer.get(name, group), before) << expression << ' ' << name;
          ++refused;
        }
      }
    }
    give_gradients(model, 0);
    EXPECT_NO_THROW(optimizer.step()) << expression;
  }
  EXPECT_GT(refused, 500);
}

TEST(BadInput, AGradientThatIsNotFiniteCanBeLeftOut) {
  for (const std::string& expression : everything()) {
    const TestModel model = random_model({{40}, {4, 6}}, 2);
    Optimizer optimizer = make_optimizer("loss_scale(" + expression + ", scale=1, growth_factor=1, backoff_factor=1)", Registry{model});
    for (uint64_t i = 0; i < 5; ++i) {
      give_gradients(model, i);
      optimizer.step();
    }
    optimizer.engine().rule().slots()[0]->numbers[0] = 0;  // good steps in line, which it counts anew
    const Checkpoint before = capture(optimizer);
    for (const double bad : {nan, infinity, -infinity}) {
      give_gradients(model, 7);
      model["p1"].grad().mutable_data<float>()[5] = static_cast<float>(bad);
      EXPECT_FALSE(optimizer.step()) << expression;
    }
    const Checkpoint after = capture(optimizer);
    ASSERT_EQ(after.tensors.size(), before.tensors.size());
    for (size_t i = 0; i < after.tensors.size(); ++i)
      EXPECT_TRUE(test::same_bits(after.tensors[i].tensor, before.tensors[i].tensor)) << expression << ' ' << after.tensors[i].name;
    EXPECT_EQ(after.metadata, before.metadata) << expression;
    give_gradients(model, 8);
    optimizer.step();
    for (const auto& row : weights_of(model))
      for (const double w : row) EXPECT_TRUE(std::isfinite(w)) << expression;
  }
}

TEST(BadInput, OtherwiseItReachesItsOwnWeightsOnly) {
  for (const char* expression : {"sgd(momentum=0.9)", "adam", "nadam", "radam", "adamax", "rmsprop", "adagrad", "adadelta", "lamb", "muon"}) {
    const TestModel model = random_model({{40}, {4, 6}}, 3);
    Optimizer optimizer = make_optimizer(expression, Registry{model});
    give_gradients(model, 0);
    model["p1"].grad().mutable_data<float>()[5] = static_cast<float>(nan);
    EXPECT_TRUE(optimizer.step());
    const auto weights = weights_of(model);
    EXPECT_TRUE(std::isnan(weights[1][5])) << expression;
    for (const double w : weights[0]) EXPECT_TRUE(std::isfinite(w)) << expression;
  }
}

TEST(BadInput, OptionsThatDoNotGoTogether) {
  const TestModel model = random_model({{3}}, 4);
  const Registry registry{model};
  EXPECT_FAILS((SGD{registry, {.nesterov = true}}), "nesterov needs momentum");
  EXPECT_FAILS((Adam{registry, {.eps_inside_root = true, .eps_hat = true}}), "two places for one");
  SGD sgd{registry};
  EXPECT_FAILS(sgd.set("momentum", 0.9), "was made without momentum");
  EXPECT_FAILS(sgd.set("nesterov", 1), "nesterov needs momentum");
  EXPECT_EQ(sgd.get("momentum"), 0);
}

TEST(Registry, SlotsOfParametersThatComeLaterStartAnew) {
  for (const std::string& expression : everything()) {
    TestModel model = random_model({{40}, {4, 6}}, 5);
    model["p1"].requires_grad_(false);
    Registry registry{model};
    Optimizer optimizer = make_optimizer("lookahead(" + expression + ", k=100)", registry);
    optimizer.report_skipped_to(nullptr);
    for (int i = 0; i < 3; ++i) {
      optimizer.zero_grad();
      give_gradient(model["p0"], 1);
      optimizer.step();
    }
    const TestModel later = random_model({{4, 6}}, 5), alone = random_model({{40}, {4, 6}}, 5);
    model["p1"].requires_grad_();
    Optimizer fresh = make_optimizer("lookahead(" + expression + ", k=100)", Registry{alone});
    fresh.report_skipped_to(nullptr);
    Tensor to = later["p0"].detach();
    for (int64_t i = 0; i < 24; ++i) to.mutable_data<float>()[i] = alone["p1"].data<float>()[i];
    registry.add({{"later", later["p0"]}});
    // A parameter starts where a new optimizer would, whether it was thawed or added.
    for (int i = 0; i < 5; ++i) {
      optimizer.zero_grad();
      fresh.zero_grad();
      for (const Tensor& x : {model["p1"], later["p0"], alone["p1"]}) give_gradient(x, 0.5 + i);
      optimizer.step();
      fresh.step();
    }
    const auto expected = weights_of(alone)[1];
    if (expression.starts_with("accumulate") || expression.starts_with("swa") || expression.starts_with("clip_norm"))
      continue;  // they look at others
    EXPECT_EQ(weights_of(model)[1], expected) << expression;
    EXPECT_EQ(weights_of(later)[0], expected) << expression;
  }
}

}  // namespace
}  // namespace scry::optim
