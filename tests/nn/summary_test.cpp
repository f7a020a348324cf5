#include <sstream>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

const ModuleSummary& row(const Summary& summary, std::string_view name) {
  for (const ModuleSummary& each : summary.modules)
    if (each.name == name) return each;
  fail("no row '", name, "'");
}

TEST(Summary, LeNet) {
  const LeNet model;
  const Summary s = summary(model, {2, 1, 28, 28});
  ASSERT_EQ(s.modules.size(), 5u);
  EXPECT_EQ(s.modules[0].name, "");
  EXPECT_EQ(s.modules[0].parameters, 431'080);
  EXPECT_EQ(s.modules[0].trained, 431'080);
  EXPECT_EQ(s.modules[0].outputs, (std::vector<Shape>{{2, 10}}));
  EXPECT_EQ(row(s, "conv2").description, "nn.Conv2d 20 -> 50, kernel 5");
  EXPECT_EQ(row(s, "conv2").outputs, (std::vector<Shape>{{2, 50, 8, 8}}));
  EXPECT_EQ(row(s, "conv2").depth, 1);
  EXPECT_EQ(row(s, "conv1").multiply_adds, 2 * 24 * 24 * 20 * 25);
  EXPECT_EQ(row(s, "conv2").multiply_adds, 2 * 8 * 8 * 50 * 20 * 25);
  EXPECT_EQ(row(s, "fc1").multiply_adds, 2 * 800 * 500);
  EXPECT_EQ(s.modules[0].multiply_adds, 2 * (24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25 + 800 * 500 + 500 * 10));
  EXPECT_EQ(row(s, "conv1").activation_bytes, 2 * 20 * 24 * 24 * 4);
  // Convolutions, relu and pooling after them, and fc1, relu and fc2; flatten is a view.
  EXPECT_GE(s.modules[0].activation_bytes, 4 * 2 * (20 * (24 * 24 * 2 + 144) + 50 * (64 * 2 + 16) + 1000 + 10));
  EXPECT_EQ(s.input_bytes, 2 * 784 * 4);
  EXPECT_EQ(s.parameter_bytes, 4 * 431'080);
}

TEST(Summary, TheModelStaysAsItIs) {
  const SmallCnn model;
  model.bn1.eval();
  model.freeze("conv1.*");
  const Summary s = summary(model, rand({2, 1, 28, 28}));
  EXPECT_EQ(row(s, "conv1").trained, 0);
  EXPECT_EQ(row(s, "conv1").multiply_adds, 2 * 28 * 28 * 32 * 9);  // frozen or not
  EXPECT_FALSE(model.conv1.weight.requires_grad());
  EXPECT_TRUE(model.conv2.weight.requires_grad());
  EXPECT_TRUE(model.training() && model.bn2.training());
  EXPECT_FALSE(model.bn1.training());
  EXPECT_EQ(model.bn2.num_batches_tracked.item<int64_t>(), 0);
  // Also when the call fails; and hooks are gone.
  EXPECT_FAILS(summary(model, {2, 3, 28, 28}), "conv1");
  EXPECT_TRUE(model.bn2.training());
  EXPECT_FALSE(model.conv1.weight.requires_grad());
  EXPECT_EQ(summary(model, {1, 1, 28, 28}).modules[0].calls, 1);
}

// A layer that is called twice, one that isn't, and shared weights.
struct Odd : Module<Odd> {
  Linear twice = add("twice", Linear{3, 3}), never = add("never", Linear{3, 4});
  Tensor tied = parameter("tied", twice.weight);
  Tensor forward(const Tensor& x, const Tensor& y) const { return matmul(twice(twice(x)), transpose(y, 0, 1)); }
};

TEST(Summary, OddNetworks) {
  const Odd model;
  const Summary s = summary(model, rand({5, 3}), rand({7, 3}));
  EXPECT_EQ(row(s, "twice").calls, 2);
  EXPECT_EQ(row(s, "twice").multiply_adds, 2 * 5 * 9);
  EXPECT_EQ(row(s, "never").calls, 0);
  EXPECT_TRUE(row(s, "never").outputs.empty());
  EXPECT_EQ(s.modules[0].parameters, 12 + 16);
  EXPECT_EQ(s.parameter_bytes, 4 * (12 + 16));
  EXPECT_EQ(s.modules[0].multiply_adds, 2 * 5 * 9 + 5 * 3 * 7);
  EXPECT_EQ(s.modules[0].activation_bytes, 4 * (2 * 15 + 35));
  // A part of a network by itself.
  const CifarResNet net = resnet20();
  const Summary part = summary(net.layer2, {1, 16, 8, 8});
  EXPECT_EQ(part.modules[1].name, "0");
  EXPECT_EQ(row(part, "0.shortcut.0").multiply_adds, 16 * 16 * 32);
}

TEST(Summary, CountsAttentionAndRecurrentLayers) {
  const CharLstm lstm;
  const Tensor text = zeros({2, 5}, i64);
  EXPECT_EQ(row(summary(lstm, text), "lstm").multiply_adds, 2 * 5 * 4 * 256 * (128 + 256));
  const Gpt gpt;
  const int64_t weights = 12 * 128 * 128, seen = 5 * 128 * 2;  // a layer's and place's
  EXPECT_EQ(row(summary(gpt, text), "blocks").multiply_adds, 2 * 5 * 4 * (weights + seen));
}

// He et al. give 1.8 and 3.8 billion for images of 224 x 224, torchvision 1.81 and 4.09 (with the stride in the 3 x 3 convolutions).
TEST(Summary, PublishedMultiplyAdds) {
  EXPECT_NEAR(static_cast<double>(summary(resnet18(), {1, 3, 224, 224}).modules[0].multiply_adds), 1.814e9, 1e6);
  EXPECT_NEAR(static_cast<double>(summary(MobileNetV2(), {1, 3, 224, 224}).modules[0].multiply_adds), 0.3008e9, 1e5);
}

TEST(Summary, IsPrintedAsATable) {
  std::ostringstream out;
  out << summary(mlp({784, 128, 10}), {64, 784});
  EXPECT_EQ(out.str(), R"(Module                      Output     Parameters  Multiply-adds  Activations
nn.Sequential of 3          [64, 10]      101,770      6,504,448      0.07 MB
  0 (nn.Linear 784 -> 128)  [64, 128]     100,480      6,422,528      0.03 MB
  2 (nn.Linear 128 -> 10)   [64, 10]        1,290         81,920      0.00 MB
Parameters: 101,770, of which 101,770 are trained; multiply-adds: 6,504,448
Memory: 0.41 MB parameters, 0.00 MB buffers, 0.20 MB inputs, 0.07 MB activations
)");
}

}  // namespace
}  // namespace scry::nn
