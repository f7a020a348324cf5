#include "fixture.hpp"
#include "support.hpp"

#include <sstream>
#include <gmock/gmock.h>

namespace scry::optim {
namespace {

using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Four parameters of two layers, all 1.
TestModel layers() {
  TestModel model;
  for (const char* name : {"conv.weight", "conv.bias", "bn1.weight", "bn1.bias"})
    model.parameters.push_back({name, full({3}, 1, f64).requires_grad_()});
  model.buffers = {{"bn1.running_mean", zeros({3})}};
  return model;
}

void step(const TestModel& model, Optimizer& optimizer, double g = 1) {
  optimizer.zero_grad();
  for (const NamedTensor& each : model.parameters) give_gradient(each.tensor, g);
  optimizer.step();
}

std::vector<double> first_weights(const TestModel& model) {
  std::vector<double> all;
  for (const NamedTensor& each : model.parameters) all.push_back(each.tensor.data<double>()[0]);
  return all;
}

TEST(Group, HasOptionsOfItsOwnAndFollowsInOthers) {
  const TestModel model = layers();
  SGD optimizer{Registry{model}, {.lr = 0.5, .weight_decay = 0.25}, {{"*.bias", {{"weight_decay", 0}}}}};
  step(model, optimizer, 0);
  EXPECT_THAT(first_weights(model), ElementsAre(0.875, 1, 0.875, 1));
  EXPECT_EQ(optimizer.get("weight_decay"), 0.25);
  EXPECT_EQ(optimizer.get("weight_decay", "*.bias"), 0);

  optimizer.set_lr(1);  // as a schedule does
  EXPECT_EQ(optimizer.get("lr", "*.bias"), 1);
  step(model, optimizer, 0.5);
  EXPECT_EQ(first_weights(model)[1], 0.5);

  optimizer.set("lr", 0.125, "*.bias");
  optimizer.set_lr(2);
  EXPECT_EQ(optimizer.get("lr", "*.bias"), 0.125) << "it has its own now";
  step(model, optimizer, 1);
  EXPECT_EQ(first_weights(model)[1], 0.375);
}

TEST(Group, EqualsAnOptimizerWithThoseOptions) {
  for (const char* wrapper : {"", "lookahead(", "lookahead(lookahead("}) {
    const std::string open = wrapper, close(static_cast<size_t>(std::count(open.begin(), open.end(), '(')), ')');
    for (const char* base : {"adam(lr=0.1)", "sgd(lr=0.1, momentum=0.9)"}) {
      const TestModel model = random_model({{5}, {40}, {7}}, 1), plain = random_model({{5}, {40}, {7}}, 1), other = random_model({{5}, {40}, {7}}, 1);
      Optimizer grouped = make_optimizer(open + base + close, Registry{model});
      Optimizer as_base = make_optimizer(open + base + close, Registry{plain});
      Optimizer as_group = make_optimizer(open + base + close, Registry{other});
      grouped.add_group("p1", {{"lr", 0.02}, {"weight_decay", 0.3}});
      as_group.set_lr(0.02);
      as_group.set("weight_decay", 0.3);
      for (uint64_t i = 0; i < 13; ++i) {
        for (const TestModel* each : {&model, &plain, &other}) give_gradients(*each, i);
        for (Optimizer* each : {&grouped, &as_base, &as_group}) each->step();
      }
      EXPECT_EQ(weights_of(model)[0], weights_of(plain)[0]);
      EXPECT_EQ(weights_of(model)[1], weights_of(other)[1]);
      EXPECT_EQ(weights_of(model)[2], weights_of(plain)[2]);
    }
  }
}

TEST(Lookahead, Case12_GroupsHaveTheirOwnWindowAndAlpha) {
  const TestModel model = layers();
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.125}}, {.k = 4, .alpha = 0.5}};
  optimizer.add_group("bn*", {{"k", 2}, {"alpha", 1}});
  optimizer.add_group("conv.bias", {{"alpha", 0.25}});
  std::vector<std::vector<double>> path;
  for (int i = 0; i < 4; ++i) {
    step(model, optimizer);
    path.push_back(first_weights(model));
  }
  EXPECT_THAT(path[1], ElementsAre(0.75, 0.75, 0.75, 0.75));
  EXPECT_THAT(path[3], ElementsAre(0.75, 0.875, 0.5, 0.5));
  EXPECT_EQ(optimizer.registry().slot("bn1.bias", "lookahead/slow").to_vector<double>()[0], 0.5);
  EXPECT_EQ(optimizer.get("k", "conv.bias"), 4);
}

TEST(Lookahead, Case12_AGroupAddedMidWindowStartsItsOwn) {
  const TestModel model = layers();
  Registry registry{model};
  Lookahead optimizer{SGD{registry, {.lr = 0.125}}, {.k = 3, .alpha = 0.5}};
  step(model, optimizer);
  step(model, optimizer);
  optimizer.add_group("*.bias", {{"k", 2}});

  TestModel more{{{"head.weight", full({3}, 1, f64).requires_grad_()}}, {}};
  registry.add(more);
  optimizer.add_group("head*", {{"alpha", 0.25}});
  const auto both = [&] {
    optimizer.zero_grad();
    for (const TestModel* each : {&model, static_cast<const TestModel*>(&more)})
      for (const NamedTensor& named : each->parameters) give_gradient(named.tensor, 1);
    optimizer.step();
  };
  both();  // the weights' third step, the others' first
  EXPECT_THAT(first_weights(model), ElementsAre(0.8125, 0.625, 0.8125, 0.625));
  EXPECT_EQ(first_weights(more)[0], 0.875);
  both();
  EXPECT_THAT(first_weights(model), ElementsAre(0.6875, 0.625, 0.6875, 0.625)) << "from 0.75 over 0.625 and 0.5, half of the way";
  both();
  EXPECT_EQ(first_weights(more)[0], 1 - 0.25 * 0.375);
}

TEST(Group, TakesParametersAddedLater) {
  const TestModel model = layers();
  Registry registry{model};
  SGD optimizer{registry, {.lr = 1}};
  optimizer.add_group("*bias", {{"lr", 0}});
  const TestModel more{{{"bias", full({2}, 1, f64).requires_grad_()}, {"both", ones({1})}}, {}};
  registry.add(more);
  EXPECT_EQ(registry.row("bias").group, 1);
  EXPECT_THAT(message_of([&] { optimizer.add_group("bias", {{"lr", 1}}); }), HasSubstr("'bias' would be in two groups, '*bias' and 'bias'"));
  optimizer.add_group("conv*weight", {{"lr", 0.5}});
  EXPECT_THAT(message_of([&] {
                registry.add({{"conv2.weight.bias", ones({2})}, {"conv.bias.weight", ones({2})}, {"conv_weight*bias", ones({2})}});
              }),
              test::nothing_thrown);
  EXPECT_EQ(registry.row("conv.bias.weight").group, 2);
  optimizer.add_group("both*", {{"lr", 2}});
  EXPECT_THAT(message_of([&] {
                registry.add({{"new", ones({2})}, {"both.bias", ones({2})}});
              }),
              HasSubstr("'both.bias' is in two groups, '*bias' and 'both*'"));
  EXPECT_THAT(message_of([&] { registry.row("new"); }), HasSubstr("no row 'new'"));
}

TEST(Group, TiedParametersAreFoundByAnyName) {
  TestModel model = layers();
  model.parameters.push_back({"decoder.weight", model["conv.weight"]});
  SGD optimizer{Registry{model}, {.lr = 1}};
  optimizer.add_group("decoder.*", {{"lr", 0.5}});
  EXPECT_EQ(optimizer.registry().row("conv.weight").group, 1);
}

TEST(Group, WrappersTakeItOver) {
  const TestModel model = layers();
  Lookahead optimizer{SGD{Registry{model}, {.lr = 1}, {{"*.bias", {{"lr", 0}}}}}, {.k = 2}};
  optimizer.set("alpha", 1, "*.bias");
  step(model, optimizer);
  EXPECT_THAT(first_weights(model), ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(optimizer.get("alpha", "*.bias"), 1);
  EXPECT_EQ(optimizer.get("alpha"), 0.5);
}

TEST(Group, OptionsOfEqualNameAreToldApartByTheirRule) {
  const TestModel model = layers();
  Optimizer optimizer = make_optimizer("lookahead(lookahead(sgd, k=2), k=3)", Registry{model});
  EXPECT_EQ(optimizer.get("k"), 3);
  EXPECT_EQ(optimizer.get("lookahead2/k"), 3);
  EXPECT_EQ(optimizer.get("lookahead/k"), 2);
  optimizer.add_group("conv*", {{"lookahead/k", 7}, {"k", 8}});
  EXPECT_EQ(optimizer.get("lookahead/k", "conv*"), 7);
  EXPECT_EQ(optimizer.get("k", "conv*"), 8);
  EXPECT_THAT(message_of([&] { optimizer.get("adam/lr"); }), HasSubstr("has no option 'adam/lr'"));
}

TEST(Group, RefusesAndChangesNothing) {
  const TestModel model = layers();
  Lookahead optimizer{SGD{Registry{model}, {.lr = 1}}, {.k = 2}};
  const auto adding = [&](const std::string& pattern, const std::vector<OptionValue>& options) {
    return message_of([&] { optimizer.add_group(pattern, options); });
  };
  EXPECT_THAT(adding("fc*", {{"lr", 1}}), HasSubstr("no parameter has a name like 'fc*'"));
  EXPECT_THAT(adding("", {{"lr", 1}}), HasSubstr("there is a group '' already")) << "it stands for those outside all groups";
  EXPECT_THAT(adding("*running_mean", {{"lr", 1}}), HasSubstr("no parameter has a name like")) << "buffers are no parameters";
  EXPECT_THAT(adding("*.bias", {}), HasSubstr("the group '*.bias' sets no option"));
  EXPECT_THAT(adding("*.bias", {{"lr", -1}}), HasSubstr("sgd: lr is -1; expected a number, at least 0"));
  EXPECT_THAT(adding("*.bias", {{"lr", 0}, {"alpha", 2}}), HasSubstr("lookahead: alpha is 2"));
  EXPECT_THAT(adding("*.bias", {{"lr", 0}, {"lr", 1}}), HasSubstr("has lr twice"));
  EXPECT_THAT(adding("*.bias", {{"beta1", 0}}), HasSubstr("has no option 'beta1'"));
  EXPECT_THAT(adding("*.bias", {{"nesterov", 1}}), HasSubstr("nesterov needs momentum"));
  EXPECT_THAT(adding("*.bias", {{"inner_state", 1}}), HasSubstr("chosen when the optimizer is made"));
  EXPECT_TRUE(optimizer.groups().empty());

  EXPECT_EQ(adding("*.bias", {{"lr", 0}}), test::nothing_thrown);
  EXPECT_THAT(adding("*.bias", {{"lr", 1}}), HasSubstr("there is a group '*.bias' already"));
  EXPECT_THAT(adding("conv*", {{"lr", 1}}), HasSubstr("'conv.bias' would be in two groups, '*.bias' and 'conv*'"));
  EXPECT_THAT(message_of([&] { optimizer.set("lr", 1, "fc*"); }), HasSubstr("there is no group 'fc*'"));
  EXPECT_THAT(message_of([&] { optimizer.set("nesterov", 1, "*.bias"); }), HasSubstr("nesterov needs momentum"));
  EXPECT_THAT(message_of([&] { optimizer.set("k", 0, "*.bias"); }), HasSubstr("k is 0"));
  EXPECT_EQ(optimizer.get("nesterov", "*.bias"), 0);
  optimizer.set("k", 3);
  EXPECT_EQ(optimizer.get("k", "*.bias"), 3) << "a refused value doesn't make an option the group's own";
  EXPECT_THAT(optimizer.groups(), ElementsAre("*.bias"));
  {
    const auto scope = optimizer.evaluation();
    EXPECT_THAT(adding("bn1.weight", {{"lr", 0}}), HasSubstr("while an evaluation"));
  }
  step(model, optimizer);
  EXPECT_THAT(first_weights(model), ElementsAre(0, 1, 0, 1));
}

TEST(Group, EndsWithItsOptimizer) {
  const TestModel model = layers();
  const Registry registry{model};
  { const SGD optimizer{registry, {}, {{"*.bias", {{"lr", 0}}}}}; }
  EXPECT_EQ(registry.row("conv.bias").group, 0);
  const SGD optimizer{registry, {}, {{"*.bias", {{"lr", 0}}}}};
  EXPECT_EQ(optimizer.get("lr", "*.bias"), 0);
}

TEST(Group, IsPrinted) {
  const TestModel model = layers();
  const Registry registry{model};
  const SGD optimizer{registry, {}, {{"*.bias", {{"lr", 0}}}}};
  std::ostringstream out;
  out << registry;
  EXPECT_THAT(out.str(), HasSubstr("elements  role     group\nconv.weight       [3]    f64          3  trained\n"
                                   "conv.bias         [3]    f64          3  trained  *.bias\n"));
}

TEST(Group, IsInCheckpoints) {
  const TestModel whole = random_model({{5}, {9}, {3}}, 1), half = random_model({{5}, {9}, {3}}, 2);
  const auto make = [](const TestModel& model, bool turned) {
    Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
    const std::vector<Group> groups{{"p1", {{"lr", 0.01}, {"k", 2}}}, {"p2", {{"alpha", 0.9}}}};
    for (size_t i = 0; i < 2; ++i) optimizer.add_group(groups[turned ? 1 - i : i].pattern, groups[turned ? 1 - i : i].options);
    return optimizer;
  };
  const auto steps = [](const TestModel& model, Optimizer& optimizer, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) {
      give_gradients(model, i);
      optimizer.step();
    }
  };
  Optimizer first = make(whole, false), second = make(half, true);
  first.set("lr", 0.03, "p2");
  first.set("lr", 0.02, "p1");
  steps(whole, first, 0, 5);
  restore(second, capture(first));
  EXPECT_EQ(second.get("lr", "p1"), 0.02);
  EXPECT_EQ(second.get("lr", "p2"), 0.03);
  steps(whole, first, 5, 11);
  steps(half, second, 5, 11);
  EXPECT_EQ(weights_of(whole), weights_of(half));

  const Checkpoint saved = capture(first);
  const auto refusal = [&](const std::vector<Group>& groups) {
    const TestModel model = random_model({{5}, {9}, {3}}, 3);
    const auto before = weights_of(model);
    Optimizer other = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
    for (const Group& group : groups) other.add_group(group.pattern, group.options);
    const std::string error = message_of([&] { restore(other, saved); });
    EXPECT_EQ(weights_of(model), before);
    EXPECT_EQ(other.lr(), 0.1);
    return error;
  };
  EXPECT_THAT(refusal({}), HasSubstr("it has a group 'p1', which this optimizer hasn't"));
  EXPECT_THAT(refusal({{"p1", {{"k", 2}}}, {"p2", {{"alpha", 0.9}}}, {"p0", {{"lr", 1}}}}), HasSubstr("it has no group 'p0'"));
  EXPECT_THAT(refusal({{"p1", {{"k", 4}}}, {"p2", {{"alpha", 0.9}}}}), HasSubstr("lookahead in 'p1': k is 2 in the checkpoint and 4 here"));
  EXPECT_THAT(refusal({{"p1", {{"k", 2}}}, {"p2", {{"alpha", 0.9}, {"beta1", 0}}}}), HasSubstr("adam in 'p2': beta1 is 0 here and not set"));
}

}  // namespace
}  // namespace scry::optim
