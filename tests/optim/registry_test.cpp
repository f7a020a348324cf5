#include "fixture.hpp"
#include "support.hpp"

#include <sstream>
#include <gmock/gmock.h>

namespace scry::optim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Registry, MovesValuesIntoOneArenaInOrder) {
  const TestModel model = random_model({{3}, {5, 7}, {}}, 1);
  const auto before = weights_of(model);
  const Tensor view = model["p1"].detach()[2];
  const Registry registry{model};
  EXPECT_EQ(weights_of(model), before);
  EXPECT_EQ(view.to_vector<double>(), std::vector<double>(before[1].begin() + 14, before[1].begin() + 21)) << "views follow";
  const auto* first = model["p0"].data<float>();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0U);
  EXPECT_EQ(model["p1"].data<float>() - first, 16);
  EXPECT_EQ(model["p2"].data<float>() - first, 16 + 48);
  EXPECT_EQ(registry.parameter_count(), 3 + 35 + 1);
  EXPECT_EQ(registry.rows()[2].name, "p2");
}

TEST(Registry, BackwardWritesIntoTheGradientArena) {
  const TestModel model = random_model({{4}, {4}}, 2);
  const Registry registry{model};
  EXPECT_EQ(autograd::leaf_of(model["p1"])->name, "p1") << "how anomalies name it";
  const auto run = [&] { sum(model["p0"] * model["p1"]).backward(); };
  run();
  EXPECT_EQ(model["p0"].grad().raw(), registry.row("p0").gradient.raw());
  EXPECT_EQ(model["p0"].grad().to_vector<float>(), model["p1"].to_vector<float>());
  run();
  EXPECT_EQ(model["p0"].grad().to_vector<float>(), (model["p1"] * 2).to_vector<float>()) << "gradients accumulate";
  registry.zero_grad();
  EXPECT_FALSE(model["p0"].grad().defined());
  EXPECT_THAT(registry.without_gradient(), ElementsAre("p0", "p1"));
  run();
  EXPECT_EQ(model["p0"].grad().to_vector<float>(), model["p1"].to_vector<float>()) << "the first gradient overwrites";
}

TEST(Registry, GradientOfOneParameterIsNotAnothers) {
  const TestModel model = random_model({{4}, {4}}, 3);
  const Registry registry{model};
  give_gradient(model["p0"], 3);
  give_gradient(model["p1"], model["p0"].grad());  // a window of the same arena
  EXPECT_EQ(model["p1"].grad().raw(), registry.row("p1").gradient.raw());
  EXPECT_EQ(model["p1"].grad().to_vector<float>(), std::vector<float>(4, 3));
}

TEST(Registry, AParameterUsedTwiceInOneOpHasTheWholeGradient) {
  const TestModel model = random_model({{3, 3}}, 3, f64), plain = random_model({{3, 3}}, 3, f64);
  const Registry registry{model};
  for (const TestModel* each : {&model, &plain}) {
    const Tensor w = (*each)["p0"];
    sum(matmul(w, w) * (w + transpose(w, 0, 1))).backward();
  }
  const auto a = model["p0"].grad().to_vector<double>(), b = plain["p0"].grad().to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12);
}

TEST(Registry, TiedNamesAreOneRow) {
  TestModel model = random_model({{4}, {2}}, 4);
  model.parameters.push_back({"tied", model["p0"]});
  Registry registry{model};
  EXPECT_EQ(registry.rows().size(), 2U);
  EXPECT_EQ(&registry.row("tied"), &registry.row("p0"));
  EXPECT_EQ(registry.parameter_count(), 6);
  registry.add({{"again", model["p1"]}});
  EXPECT_THAT(registry.row("p1").aliases, ElementsAre("again"));
}

TEST(Registry, HoldsBuffersOfAnyType) {
  TestModel model = random_model({{4}}, 5);
  model.buffers = {{"mean", zeros({4}, f64)}, {"count", full({}, 7, i64)}};
  const Registry registry{model};
  EXPECT_EQ(registry.row("count").role, RowRole::buffer);
  EXPECT_EQ(model.buffers[1].tensor.item<int64_t>(), 7);
  EXPECT_EQ(registry.parameter_count(), 4);
}

TEST(Registry, AddOpensNewArenasAndMovesNothing) {
  const TestModel model = random_model({{4}}, 6), more = random_model({{9}}, 7);
  Registry registry{model};
  const void* where = model["p0"].raw();
  registry.add({{"more", more["p0"]}});
  EXPECT_EQ(model["p0"].raw(), where);
  give_gradient(more["p0"], 1);
  EXPECT_EQ(more["p0"].grad().raw(), registry.row("more").gradient.raw());
}

TEST(Registry, TensorsOutliveItAndCanBeRegisteredAgain) {
  const TestModel model = random_model({{4}, {70}}, 8);
  const auto before = weights_of(model);
  {
    const Registry registry{model};
    give_gradient(model["p0"], 2);
  }
  EXPECT_EQ(weights_of(model), before);
  EXPECT_EQ(model["p0"].grad().to_vector<float>(), std::vector<float>(4, 2));
  SGD optimizer{Registry{model}, {.lr = 1}};
  EXPECT_EQ(weights_of(model), before);
  EXPECT_TRUE(optimizer.step()) << "a gradient from before counts";
  EXPECT_DOUBLE_EQ(weights_of(model)[0][0], static_cast<double>(static_cast<float>(before[0][0]) - 2.0F));
}

TEST(Registry, GradientsFromBeforeMoveIntoItsArena) {
  const TestModel model = random_model({{4}, {4}}, 2);
  const auto backward = [&] { sum(model["p0"] * model["p1"]).backward(); };
  backward();
  const Tensor held = model["p1"].grad();
  for (int i = 0; i < 2; ++i) {
    const Registry registry{model};
    EXPECT_EQ(model["p0"].grad().raw(), registry.row("p0").gradient.raw()) << "from outside and from an earlier registry's arena";
    EXPECT_EQ(model["p0"].grad().to_vector<float>(), (model["p1"].detach() * (i + 1)).to_vector<float>());
    EXPECT_NE(model["p1"].grad().raw(), registry.row("p1").gradient.raw()) << "somebody holds it";
    backward();
  }
}

TEST(Registry, RefusesWhatItCannotHold) {
  const TestModel model = random_model({{4, 6}}, 9);
  const Tensor x = model["p0"];
  const auto registering = [](NamedTensor named) { return test::message_of([&] { Registry registry({named}); }); };
  EXPECT_THAT(registering({"w", x.detach()[1]}), HasSubstr("'w' of shape [6] is a view"));
  EXPECT_THAT(registering({"w", transpose(x.detach(), 0, 1)}), HasSubstr("not row-major"));
  EXPECT_THAT(registering({"w", Tensor{}}), HasSubstr("'w' is undefined"));
  EXPECT_THAT(registering({"", x}), HasSubstr("empty name"));
  EXPECT_THAT(registering({"w", full({2}, 1, i64)}), HasSubstr("'w' is i64"));
  EXPECT_THAT(test::message_of([&] { Registry registry({{"a", x}, {"a", ones({2})}}); }), HasSubstr("'a' is given twice"));
  EXPECT_THAT(test::message_of([&] { Registry registry({{"a", x}, {"b", x.detach()}}); }), HasSubstr("'b' shares memory with 'a'"));
  EXPECT_THAT(test::message_of([&] { Registry registry({{"a", x}}, {{"b", x}}); }), HasSubstr("both a parameter and a buffer"));
}

TEST(Registry, ChangesNothingWhenItRefuses) {
  const TestModel model = random_model({{4}, {5}}, 10);
  const void* where = model["p0"].raw();
  EXPECT_THROW(Registry({{"good", model["p0"]}, {"bad", Tensor{}}}), Error);
  EXPECT_EQ(model["p0"].raw(), where);

  Registry registry({{"a", model["p0"]}});
  EXPECT_THROW(registry.add({{"b", model["p1"]}, {"a", ones({2})}}), Error);
  EXPECT_EQ(registry.rows().size(), 1U);
  registry.add({{"b", model["p1"]}});
  EXPECT_EQ(registry.rows().size(), 2U);
}

TEST(Registry, OneLivingRegistryATensor) {
  const TestModel model = random_model({{4}}, 11);
  const Registry registry{model};
  EXPECT_THAT(test::message_of([&] { Registry second{model}; }), HasSubstr("'p0' belongs to another registry"));
}

TEST(Registry, OneOptimizerATime) {
  const TestModel model = random_model({{4}}, 12);
  const Registry registry{model};
  {
    const SGD first{registry};
    EXPECT_THAT(test::message_of([&] { SGD second{registry}; }), HasSubstr("has an optimizer already"));
  }
  EXPECT_NO_THROW(SGD{registry});
}

TEST(Registry, FrozenParametersTakeNoMemoryUntilThawed) {
  TestModel model = random_model({{4}, {4}}, 13);
  model["p1"].requires_grad_(false);
  const Registry registry{model};
  Adam optimizer{registry, {.lr = 0.1}};
  EXPECT_FALSE(registry.row("p1").gradient.defined());
  const auto before = weights_of(model);
  give_gradients({{model.parameters[0]}, {}}, 0);
  EXPECT_TRUE(optimizer.step());
  EXPECT_EQ(weights_of(model)[1], before[1]);

  model["p1"].requires_grad_();
  give_gradient(model["p1"], 1);
  EXPECT_TRUE(optimizer.step());
  EXPECT_NE(weights_of(model)[1], before[1]);
  EXPECT_DOUBLE_EQ(registry.slot("p1", "adam/step").item(), 1);
  registry.zero_grad();
  give_gradient(model["p1"], 1);
  EXPECT_EQ(model["p1"].grad().raw(), registry.row("p1").gradient.raw());
}

TEST(Registry, PrintsATable) {
  TestModel model = random_model({{4, 3}, {4}}, 14);
  model.parameters.push_back({"tied", model["p0"]});
  model.buffers = {{"count", full({}, 7, i64)}};
  model["p1"].requires_grad_(false);
  const Registry registry{model};
  const Adam optimizer{registry};
  std::ostringstream out;
  out << registry;
  EXPECT_EQ(out.str(),
            "name       shape   type  elements  role\n"
            "p0 = tied  [4, 3]  f32         12  trained\n"
            "p1         [4]     f32          4  frozen\n"
            "count      []      i64          1  buffer\n"
            "16 parameters; values 192 bytes, gradients 64 bytes\n"
            "adam: 152 bytes (exp_avg 64 bytes, exp_avg_sq 64 bytes, step 24 bytes)\n");
}

TEST(Registry, SlotsAreReadByName) {
  const TestModel model = random_model({{2}, {3}}, 15);
  const Registry registry{model};
  SGD optimizer{registry, {.lr = 0.1, .momentum = 0.9}};
  give_gradient(model["p1"], 2);
  optimizer.step();
  EXPECT_EQ(registry.slot("p1", "sgd/momentum_buffer").to_vector<float>(), std::vector<float>(3, 2));
  EXPECT_EQ(registry.slot("p0", "sgd/momentum_buffer").to_vector<float>(), std::vector<float>(2, 0));
  EXPECT_THAT(test::message_of([&] { registry.slot("p1", "adam/exp_avg"); }), HasSubstr("there are: sgd/momentum_buffer, sgd/step"));
  EXPECT_THAT(test::message_of([&] { registry.slot("p7", "sgd/step"); }), HasSubstr("no row 'p7'"));

  registry.set_slot("p1", "sgd/step", 5);
  EXPECT_EQ(registry.slot("p1", "sgd/step").item(), 5);
  EXPECT_EQ(registry.slot("p0", "sgd/step").item(), 0);
  EXPECT_FAILS(registry.set_slot("p1", "sgd/momentum_buffer", 5), "has a tensor for each row");
  EXPECT_FAILS(registry.set_slot("p1", "sgd/step", std::numeric_limits<double>::infinity()), "cannot be inf");
}

}  // namespace
}  // namespace scry::optim
