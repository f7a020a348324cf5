#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/nn/nn.hpp>

#include "support.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

static_assert(std::is_copy_constructible_v<Linear>);
static_assert(!std::is_copy_assignable_v<Linear> && !std::is_move_assignable_v<Linear>);
static_assert(!std::is_copy_assignable_v<Sequential> && !std::is_copy_assignable_v<LeNet> && !std::is_copy_assignable_v<BatchNorm2d>);

std::vector<std::string> names(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> out;
  for (const NamedTensor& t : tensors) out.push_back(t.name);
  return out;
}

struct Block : Module<Block> {
  Block() = default;
  explicit Block(int64_t width) : fc(add("fc", Linear{width, width})) {}
  Tensor forward(const Tensor& x) const { return norm_scale * relu(fc(x)); }
  Linear fc = add("fc", Linear{4, 4});
  Dropout drop = add("drop", Dropout{0.5});
  Tensor norm_scale = parameter("scale", ones({4}));
  Tensor seen = buffer("seen", zeros({}, i64));
};

struct Net : Module<Net> {
  Tensor forward(const Tensor& x) const { return head(second(first(x))); }
  void put(const Linear& fresh) { replace(head, fresh); }
  void put_elsewhere(Linear& child, const Linear& fresh) { replace(child, fresh); }
  Block first = add("first", Block{});
  Block second = add("second", Block{});
  Linear head = add("head", Linear{4, 2, {.bias = false}});
};

TEST(Module, NamesFollowTheDeclarations) {
  const Net net;
  EXPECT_EQ(names(net.named_parameters()), (std::vector<std::string>{"first.scale", "first.fc.weight", "first.fc.bias", "second.scale",
                                                                     "second.fc.weight", "second.fc.bias", "head.weight"}));
  EXPECT_EQ(names(net.named_buffers()), (std::vector<std::string>{"first.seen", "second.seen"}));
  EXPECT_EQ(net.parameters().size(), 7u);
  EXPECT_EQ(net.parameter_count(), 2 * (4 + 16 + 4) + 8);
  for (const Tensor& p : net.parameters()) EXPECT_TRUE(p.requires_grad());
  for (const NamedTensor& b : net.named_buffers()) EXPECT_FALSE(b.tensor.requires_grad());
  EXPECT_TRUE(same_node(net.named_parameters()[1].tensor, net.first.fc.weight));
}

TEST(Module, PathsLeadFromTheModel) {
  const Net net;
  EXPECT_EQ(net.path(), "");
  EXPECT_EQ(net.second.path(), "second");
  EXPECT_EQ(net.second.fc.path(), "second.fc");
  const Sequential outer{net, relu};
  EXPECT_EQ(net.second.fc.path(), "0.second.fc");
}

TEST(Module, CopiesAreTheSameNetwork) {
  const Net net;
  const Net copy = net;
  EXPECT_TRUE(same_node(copy.head.weight, net.head.weight));
  copy.eval();
  EXPECT_FALSE(net.first.drop.training());
  const Tensor x = ones({1, 4});
  sum(copy(x)).backward();
  EXPECT_TRUE(net.head.weight.grad().defined());
}

TEST(Module, TrainAndEvalReachAllParts) {
  const Net net;
  EXPECT_TRUE(net.training() && net.second.drop.training());
  net.eval();
  EXPECT_FALSE(net.training() || net.first.training() || net.second.drop.training());
  net.second.train();  // a part alone
  EXPECT_TRUE(net.second.drop.training());
  EXPECT_FALSE(net.training() || net.first.drop.training());
  net.train();
  EXPECT_TRUE(net.training() && net.first.drop.training());
}

TEST(Module, NamesAreTakenOnce) {
  struct Twice : Module<Twice> {
    Linear a = add("fc", Linear{1, 1});
    Linear b = add("fc", Linear{1, 1});
  };
  EXPECT_FAILS(Twice{}, "'fc'", "twice");
  struct Mixed : Module<Mixed> {
    Tensor a = parameter("x", ones({1}));
    Tensor b = buffer("x", ones({1}));
  };
  EXPECT_FAILS(Mixed{}, "'x'", "twice");
  struct Dotted : Module<Dotted> {
    Tensor a = parameter("a.b", ones({1}));
  };
  EXPECT_FAILS(Dotted{}, "'a.b'", "dot");
  struct Nameless : Module<Nameless> {
    Linear a = add("", Linear{1, 1});
  };
  EXPECT_FAILS(Nameless{}, "''", "empty");
}

TEST(Module, ParametersMustBeAbleToLearn) {
  struct Whole : Module<Whole> {
    Tensor a = parameter("a", ones({1}, i64));
  };
  EXPECT_FAILS(Whole{}, "i64");
  struct None : Module<None> {
    Tensor a = parameter("a", Tensor{});
  };
  EXPECT_FAILS(None{}, "undefined");
}

TEST(Module, APartBelongsToOneNetwork) {
  const Net net;
  EXPECT_FAILS((Sequential{relu, net.head}), "part of a network already", "'head'");
  Sequential outer;
  outer.push_back(relu);
  EXPECT_FAILS(outer.push_back(outer), "part of itself");
  Sequential inner;
  outer.push_back(inner);
  EXPECT_FAILS(inner.push_back(outer), "part of itself");
}

TEST(Module, ReplacesAPart) {
  Net net;
  net.eval();
  const Tensor before = net.head.weight;
  const Linear fresh{4, 7};
  net.put(fresh);
  EXPECT_TRUE(same_node(net.head.weight, fresh.weight));
  EXPECT_EQ(net.head.path(), "head");
  EXPECT_FALSE(net.head.training());
  EXPECT_EQ(net(ones({1, 4})).shape(), (Shape{1, 7}));
  EXPECT_EQ(names(net.named_parameters()).back(), "head.bias");
  EXPECT_FALSE(same_node(net.named_parameters()[6].tensor, before));
  EXPECT_FAILS(net.put(net.first.fc), "replace", "part of a network already", "'first.fc'");
  Linear stranger{1, 1};
  EXPECT_FAILS(net.put_elsewhere(stranger, Linear{1, 1}), "replace", "no part of this model");
}

// The example of how an error reads.
TEST(Module, ErrorsSayWhere) {
  const LeNet model;
  EXPECT_EQ(message_of([&] {
              model.conv2(zeros({64, 1, 12, 12}));
            }),
            "conv2 (nn.Conv2d 20 -> 50, kernel 5): expected 20 input channels in [N, C, H, W], got input of shape [64, 1, 12, 12]");
  EXPECT_EQ(message_of([&] {
              model(zeros({64, 3, 28, 28}));
            }),
            "conv1 (nn.Conv2d 1 -> 20, kernel 5): expected 1 input channels in [N, C, H, W], got input of shape [64, 3, 28, 28]");
  const Net net;
  EXPECT_EQ(message_of([&] { net(zeros({2, 5})); }).find("first.fc (nn.Linear 4 -> 4): linear: expected 4 features"), 0u);
  EXPECT_EQ(message_of([&] { Sequential{net}(zeros({2, 5})); }).find("0.first.fc (nn.Linear 4 -> 4): "), 0u);
  EXPECT_EQ(message_of([] { Linear{3, 2}(zeros({2, 5})); }).find("nn.Linear 3 -> 2: linear: "), 0u);
}

struct Thrower : Module<Thrower> {
  Tensor forward(const Tensor&) const { fail("on purpose"); }
};

TEST(Module, ErrorsOfOwnModulesNameTheirType) {
  const std::string message = message_of([] { Thrower{}(Tensor{}); });
  EXPECT_NE(message.find("Thrower: on purpose"), std::string::npos) << message;
  EXPECT_EQ(message_of([] { Sequential{relu, Thrower{}}(ones({1})); }).find("1 ("), 0u);
}

struct Switch : Module<Switch> {
  std::pair<Tensor, int> forward(const Tensor& x, int times, bool negate) const { return {negate ? -x * times : x * times, times}; }
};

TEST(Module, ForwardTakesAndReturnsAnything) {
  const auto [y, times] = Switch{}(ones({1}), 3, true);
  EXPECT_EQ(y.item(), -3);
  EXPECT_EQ(times, 3);
}

TEST(Sequential, RunsModulesAndFunctions) {
  const Sequential net{Linear{3, 4}, relu, [](const Tensor& x) { return x * 2; }, Linear{4, 2}};
  EXPECT_EQ(net.size(), 4u);
  EXPECT_EQ(names(net.named_parameters()), (std::vector<std::string>{"0.weight", "0.bias", "3.weight", "3.bias"}));
  const std::vector<Tensor> p = net.parameters();
  const Tensor x = rand({5, 3});
  EXPECT_TRUE(same_bits(net(x), linear(relu(linear(x, p[0], p[1])) * 2, p[2], p[3])));
  const Sequential nothing;
  EXPECT_TRUE(same_node(nothing(x), x));
}

TEST(Sequential, OfOneModuleOrSequential) {
  const Sequential one{Linear{3, 2}};
  EXPECT_EQ(names(one.named_parameters()), (std::vector<std::string>{"0.weight", "0.bias"}));
  const Sequential copy{one};  // a copy, not a network around it
  EXPECT_EQ(names(copy.named_parameters()), names(one.named_parameters()));
  const Sequential nested{Sequential{Linear{3, 2}, relu}, relu};
  EXPECT_EQ(names(nested.named_parameters()), (std::vector<std::string>{"0.0.weight", "0.0.bias"}));
}

TEST(Sequential, PassesModeAndErrorsOn) {
  const Sequential net{Linear{3, 4}, Dropout{1}, Linear{4, 2}};
  net.eval();
  EXPECT_NE(net(ones({1, 3})).to_vector<float>(), net.parameters()[3].to_vector<float>());  // p = 1 would leave the bias alone
  net.train();
  EXPECT_EQ(net(ones({1, 3})).to_vector<float>(), net.parameters()[3].to_vector<float>());
  EXPECT_EQ((message_of([&] { net(ones({1, 4})); }).find("0 (nn.Linear 3 -> 4): ")), 0u);
}

}  // namespace
}  // namespace scry::nn
