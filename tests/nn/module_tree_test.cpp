// What modules do as trees: freezing by name, conversion, replacement, visits, hooks.

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

struct Inner : Module<Inner> {
  Tensor forward(const Tensor& x) const { return relu(fc(x)) * scale; }
  Linear fc = add("fc", Linear{4, 4});
  Tensor scale = parameter("scale", ones({4}));
  Tensor mean = buffer("mean", ones({4}));
  Tensor seen = buffer("seen", zeros({}, i64));
};

struct Outer : Module<Outer> {
  Tensor forward(const Tensor& x) const { return head(features(x)); }
  Sequential features = add("features", Sequential{Inner{}, relu, Inner{}});
  Linear head = add("head", Linear{4, 2});
};

std::vector<std::string> trained(const ModuleBase& model) {
  std::vector<std::string> names;
  for (const NamedTensor& p : model.named_parameters())
    if (p.tensor.requires_grad()) names.push_back(p.name);
  return names;
}

TEST(ModuleTree, FreezesByName) {
  const Outer model;
  EXPECT_EQ(model.freeze("features.*"), 6);
  EXPECT_EQ(trained(model), (std::vector<std::string>{"head.weight", "head.bias"}));
  const Tensor before = clone(model.head.weight.detach());
  sum(model(ones({1, 4}))).backward();
  EXPECT_TRUE(model.head.weight.grad().defined());
  for (const NamedTensor& p : model.features.named_parameters()) EXPECT_FALSE(p.tensor.grad().defined()) << p.name;
  EXPECT_EQ(model.unfreeze("*.bias"), 3);
  EXPECT_EQ(trained(model), (std::vector<std::string>{"features.0.fc.bias", "features.2.fc.bias", "head.weight", "head.bias"}));
  EXPECT_EQ(model.unfreeze(), 8);
  EXPECT_EQ(model.freeze("features.?.scale"), 2);
  EXPECT_EQ(trained(model).size(), 6u);
  EXPECT_FAILS(model.freeze("classifier.*"), "freeze", "'classifier.*'", "head.weight");
}

TEST(ModuleTree, ConvertsInPlace) {
  const Outer model;
  const Tensor weight = model.head.weight, x = rand({5, 4});
  const std::vector<double> values = weight.to_vector<double>();
  const Tensor y = model(x);
  sum(y).backward();
  model.to(f64);
  EXPECT_EQ(weight.dtype(), f64);
  EXPECT_FALSE(weight.grad().defined());
  EXPECT_EQ(weight.to_vector<double>(), values);
  for (const NamedTensor& b : model.named_buffers()) EXPECT_EQ(b.tensor.dtype(), b.name.ends_with("seen") ? i64 : f64) << b.name;
  expect_close(model(cast(x, f64)), y, 1e-6);
  check_gradients(model, {2, 4});
  sum(model(cast(x, f64))).backward();
  EXPECT_EQ(weight.grad().dtype(), f64);
  model.to(f32);
  EXPECT_TRUE(same_bits(model(x), y));
  EXPECT_FAILS(model.to(i64), "to:", "i64");
}

TEST(ModuleTree, ConversionIsNoticedByAGraphAndRefusedInARegistry) {
  const Linear model{3, 2};
  const Tensor y = sum(model(rand({4, 3}).requires_grad_()));
  model.to(f64);
  EXPECT_FAILS(y.backward(), "changed in place");
  const Outer registered;
  registered.head.weight.node().storage->move_into(Storage::allocate(64), 0);  // as a registry does
  EXPECT_FAILS(registered.to(f64), "'head.weight'", "registry");
  EXPECT_EQ(registered.features.parameters()[0].dtype(), f32);  // nothing has changed
}

TEST(ModuleTree, LoadsFromAnotherNetwork) {
  const Outer model, source;
  const Tensor x = rand({3, 4});
  EXPECT_FALSE(same_bits(model(x), source(x)));
  model.load(source);
  EXPECT_TRUE(same_bits(model(x), source(x)));
  EXPECT_FALSE(same_node(model.head.weight, source.head.weight));
  EXPECT_FAILS(model.load(Linear{4, 2}), "missing: features.0.scale", "not in the model: weight");
}

TEST(ModuleTree, ReplacesAtAnyDepthForAllHandles) {
  Outer model;
  model.eval();
  const Outer other_handle = model;
  const Sequential around{model, relu};
  model.replace(model.head, Linear{4, 7, {.bias = false}});
  for (const Tensor& y : {model(ones({1, 4})), other_handle(ones({1, 4})), around(ones({1, 4}))}) EXPECT_EQ(y.shape(), (Shape{1, 7}));
  EXPECT_TRUE(same_node(other_handle.head.weight, model.head.weight));
  EXPECT_FALSE(model.head.bias.defined());
  EXPECT_FALSE(model.head.training());
  EXPECT_EQ(model.head.path(), "0.head");

  Inner fresh;
  model.replace("features.2", fresh);
  EXPECT_TRUE(same_node(model.features.parameters()[3], fresh.scale));
  sum(model(ones({1, 4}))).backward();
  EXPECT_TRUE(fresh.scale.grad().defined());
  model.replace("features.0.fc", Linear{4, 4});
  EXPECT_EQ(fresh.fc.path(), "0.features.2.fc");
}

TEST(ModuleTree, ReplacementsMustFit) {
  Outer model;
  EXPECT_FAILS(model.replace("features.0", Linear{4, 4}), "replace", "features.0", "nn.Linear 4 -> 4", "another type");
  EXPECT_FAILS(model.replace("features.1", Linear{4, 4}), "no part 'features.1'", "0, 2");
  EXPECT_FAILS(model.replace("tail", Linear{4, 4}), "'tail'", "features, head");
  EXPECT_FAILS(model.replace(model.head, model.head), "part of a network already");
  EXPECT_FAILS(model.replace(Linear{1, 1}, Linear{1, 1}), "no part of this model");
  EXPECT_FAILS(model.replace("", Linear{1, 1}), "replace");
  EXPECT_EQ(model(ones({1, 4})).shape(), (Shape{1, 2}));
}

TEST(ModuleTree, VisitsEveryPart) {
  const Outer model;
  std::vector<std::string> seen;
  model.apply([&](const ModuleBase& part) { seen.push_back(part.path() + ": " + part.description()); });
  ASSERT_EQ(seen.size(), 7u);
  EXPECT_EQ(seen[1], "features: nn.Sequential of 3");
  EXPECT_EQ(seen[3], "features.0.fc: nn.Linear 4 -> 4");
  EXPECT_EQ(seen[6], "head: nn.Linear 4 -> 2");
  int64_t features = 0;
  model.apply<Linear>([&](const Linear& layer) { features += layer.weight.size(0); });
  EXPECT_EQ(features, 10);
  EXPECT_EQ(model.children().size(), 2u);
  EXPECT_EQ(model.part("features.2.fc").path(), "features.2.fc");
  EXPECT_EQ(model.type(), typeid(Outer));
}

TEST(ModuleTree, SharedParametersCountOnce) {
  struct Tied : Module<Tied> {
    Linear in = add("in", Linear{4, 4});
    Tensor again = parameter("again", in.weight);
  };
  EXPECT_EQ(Tied{}.parameter_count(), 20);
  EXPECT_EQ(Tied{}.named_parameters().size(), 3u);
}

TEST(ModuleTree, HooksSeeCallsUntilTheyAreRemoved) {
  const Outer model;
  std::vector<std::string> log;
  const HookHandle before = model.features.register_forward_pre_hook(
      [&](const ModuleCall& call) { log.push_back("before " + call.module.path() + text(" ", call.inputs.size(), " ", call.outputs.size())); });
  const HookHandle after = model.head.register_forward_hook(
      [&](const ModuleCall& call) { log.push_back(text("after ", call.inputs[0].shape(), call.outputs[0].shape())); });
  const Tensor y = model(ones({3, 4}));
  EXPECT_EQ(log, (std::vector<std::string>{"before features 1 0", "after [3, 4][3, 2]"}));
  before.remove();
  after.remove();
  after.remove();
  EXPECT_TRUE(same_bits(model(ones({3, 4})), y));
  EXPECT_EQ(log.size(), 2u);
}

TEST(ModuleTree, HooksMayPutOtherTensorsInPlace) {
  struct Two : Module<Two> {
    std::pair<Tensor, Tensor> forward(int factor, const Tensor& a, const Tensor& b) const { return {a * factor, b}; }
  };
  const Two layer;
  layer.register_forward_pre_hook([](const ModuleCall& call) { std::swap(call.inputs[0], call.inputs[1]); });
  layer.register_forward_hook([](const ModuleCall& call) { call.outputs[1] = call.outputs[1] + 10; });
  const Tensor a = ones({1}), b = ones({1}) * 2;
  const auto [u, v] = layer(3, a, b);
  EXPECT_EQ(u.item(), 6);
  EXPECT_EQ(v.item(), 11);
  EXPECT_EQ(a.item(), 1);
  layer.register_forward_hook([](const ModuleCall&) { fail("from a hook"); });
  EXPECT_FAILS(layer(3, a, b), "Two", "from a hook");
  EXPECT_FAILS(layer.register_forward_hook({}), "function");
}

TEST(ModuleTree, SequentialsGrowInAllTheirHandles) {
  Sequential net{Linear{2, 3}};
  const Sequential copy = net;
  net.push_back(relu);
  net.push_back(Linear{3, 1});
  EXPECT_EQ(copy(ones({5, 2})).shape(), (Shape{5, 1}));
}

TEST(ModuleTree, ModuleListsNameTheirParts) {
  struct Stack : Module<Stack> {
    Tensor forward(Tensor x) const {
      for (const Linear& layer : layers) x = layer(x);
      return x;
    }
    ModuleList<Linear> layers = add("layers", ModuleList<Linear>{Linear{2, 3}, Linear{3, 4}});
  };
  Stack stack;
  EXPECT_EQ(stack(ones({1, 2})).shape(), (Shape{1, 4}));
  EXPECT_EQ(stack.named_parameters()[2].name, "layers.1.weight");
  stack.replace("layers.1", Linear{3, 9});
  EXPECT_EQ(stack(ones({1, 2})).shape(), (Shape{1, 9}));
  EXPECT_EQ(message_of([&] { stack(ones({1, 3})); }).find("layers.0 (nn.Linear 2 -> 3): "), 0u);
  EXPECT_FAILS(stack.layers[2], "nn.ModuleList", "no part 2 of 2");
}

}  // namespace
}  // namespace scry::nn
