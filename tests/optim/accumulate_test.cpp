#include "fixture.hpp"
#include "support.hpp"

namespace scry::optim {
namespace {

TEST(Accumulate, StepsByTheMeanOfSeveralGradients) {
  for (const char* mean : {"true", "false"}) {
    const TestModel model = random_model({{40}, {3}}, 1, f64), reference = random_model({{40}, {3}}, 1, f64);
    Optimizer optimizer = make_optimizer(text("accumulate(adam(lr=0.1), n=3, mean=", mean, ")"), Registry{model});
    Adam adam{Registry{reference}, {.lr = 0.1}};
    for (int step = 0; step < 4; ++step) {
      adam.zero_grad();
      for (int part = 0; part < 3; ++part) {
        const auto before = weights_of(model);
        optimizer.zero_grad();
        for (size_t i = 0; i < 2; ++i) {
          const double g = 1 + step + part * (i == 0 ? 1 : -2);
          give_gradient(model.parameters[i].tensor, g);
          give_gradient(reference.parameters[i].tensor, mean == std::string("true") ? g / 3 : g);
        }
        EXPECT_EQ(optimizer.step(), part == 2);
        EXPECT_EQ(weights_of(model) == before, part < 2);
      }
      adam.step();
      EXPECT_EQ(optimizer.steps(), step + 1);
      for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(weights_of(model)[i][0], weights_of(reference)[i][0], 1e-12);
    }
  }
}

TEST(Accumulate, AParameterMayMissInSomeOfThem) {
  const TestModel model = random_model({{2}, {2}, {2}}, 2, f64);
  const auto before = weights_of(model);
  Optimizer optimizer = make_optimizer("accumulate(sgd(lr=1), n=2)", Registry{model});
  give_gradient(model["p0"], 1);
  give_gradient(model["p1"], 1);
  EXPECT_FALSE(optimizer.step());
  optimizer.zero_grad();
  give_gradient(model["p0"], 3);
  EXPECT_TRUE(optimizer.step());
  EXPECT_DOUBLE_EQ(weights_of(model)[0][0], before[0][0] - 2);
  EXPECT_DOUBLE_EQ(weights_of(model)[1][0], before[1][0] - 0.5);
  EXPECT_EQ(weights_of(model)[2], before[2]);
  EXPECT_EQ(optimizer.skipped(), std::vector<std::string>{"p2"});
}

TEST(Accumulate, OneCallIsTheOptimizerItself) {
  const TestModel model = random_model({{40}}, 3), plain = random_model({{40}}, 3);
  Optimizer optimizer = make_optimizer("accumulate(adam, n=1)", Registry{model});
  Adam adam{Registry{plain}};
  for (uint64_t i = 0; i < 5; ++i) {
    give_gradients(model, i);
    give_gradients(plain, i);
    EXPECT_TRUE(optimizer.step());
    adam.step();
  }
  EXPECT_EQ(weights_of(model), weights_of(plain));
}

TEST(LossScale, StepsAsWithoutIt) {
  const TestModel model = random_model({{40}}, 4), plain = random_model({{40}}, 4);
  Optimizer optimizer = make_optimizer("loss_scale(adam, scale=1024, growth_interval=2)", Registry{model});
  Adam adam{Registry{plain}};
  for (uint64_t i = 0; i < 6; ++i) {
    give_gradients(plain, i);
    optimizer.zero_grad();
    give_gradient(model["p0"], plain["p0"].grad() * optimizer.get("scale"));
    optimizer.step();
    adam.step();
    EXPECT_EQ(weights_of(model), weights_of(plain)) << "powers of 2 lose no bit";
  }
  EXPECT_EQ(optimizer.get("scale"), 8192);
}

TEST(LossScale, SkipsStepsThatAreNotFinite) {
  for (const double bad : {nan, infinity, -infinity}) {
    const TestModel model = random_model({{40}, {3}}, 5);
    const Registry registry{model};
    Optimizer optimizer = make_optimizer("lookahead(loss_scale(adam(lr=0.1), growth_interval=3), k=2)", registry);
    const auto step = [&](double last) {
      optimizer.zero_grad();
      give_gradient(model["p0"], 1);
      give_gradient(model["p1"], Tensor::of<float>({1, 1, static_cast<float>(last)}, {3}));
      return optimizer.step();
    };
    EXPECT_TRUE(step(1));
    EXPECT_TRUE(step(1));
    const auto before = weights_of(model);
    EXPECT_FALSE(step(bad));
    EXPECT_EQ(weights_of(model), before);
    EXPECT_EQ(registry.slot("p0", "adam/step").item(), 2);
    EXPECT_EQ(registry.slot("p0", "loss_scale/good_steps").item(), 0);
    EXPECT_EQ(optimizer.get("scale"), 32768);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(step(1));
    EXPECT_EQ(optimizer.get("scale"), 65536);
  }
}

TEST(LossScale, NoMicroBatchThatIsNotFiniteIsAccumulated) {
  const TestModel model = random_model({{3}}, 6, f64);
  const auto before = weights_of(model);
  Optimizer optimizer = make_optimizer("loss_scale(accumulate(sgd(lr=1), n=2), scale=4)", Registry{model});
  std::vector<bool> stepped;
  for (const double g : {1.0, infinity, 3.0}) {
    optimizer.zero_grad();
    give_gradient(model["p0"], g * optimizer.get("scale"));
    stepped.push_back(optimizer.step());
  }
  EXPECT_EQ(stepped, (std::vector<bool>{false, false, true}));
  EXPECT_DOUBLE_EQ(weights_of(model)[0][0], before[0][0] - 2);
}

TEST(LossScale, RefusesWhatGroupsCannotHave) {
  const TestModel model = random_model({{3}}, 7);
  SGD sgd{Registry{model}};
  EXPECT_FAILS((LossScale{std::move(sgd), {.scale = 0}}), "loss_scale: scale is 0");
  EXPECT_FAILS((Accumulate{std::move(sgd), {.n = 0}}), "accumulate: n is 0; expected a whole number");
  Optimizer optimizer = Accumulate{LossScale{std::move(sgd), {}}, {}};
  EXPECT_FAILS((optimizer.add_group("p0", {{"n", 2}})), "accumulate: n is the same for all parameters");
  EXPECT_FAILS((optimizer.add_group("p0", {{"scale", 2}})), "loss_scale: scale is the same for all parameters");
}

}  // namespace
}  // namespace scry::optim
