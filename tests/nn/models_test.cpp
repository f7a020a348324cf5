#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

std::vector<std::string> names(const ModuleBase& model) {
  std::vector<std::string> out;
  for (const NamedTensor& t : model.named_parameters()) out.push_back(t.name);
  return out;
}

// Runs forward and backward; every parameter must get a finite gradient.
template <class Model>
void check_step(const Model& model, const Shape& input, int64_t classes) {
  Generator generator(1);
  const Tensor x = rand(input, f32, generator), y = model(x);
  ASSERT_EQ(y.shape(), (Shape{input[0], classes}));
  cross_entropy(y, randint(0, classes, {input[0]}, generator)).backward();
  for (const NamedTensor& p : model.named_parameters()) {
    ASSERT_TRUE(p.tensor.grad().defined()) << p.name;
    const auto length = norm(p.tensor.grad()).item();
    EXPECT_TRUE(length > 0 && length < 1e3) << p.name << ": " << length;
  }
}

TEST(Models, LeNet) {
  const LeNet model;
  EXPECT_EQ(model.parameter_count(), 431'080);
  EXPECT_EQ(names(model), (std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias",
                                                    "fc2.weight", "fc2.bias"}));
  check_step(model, {3, 1, 28, 28}, 10);
  const LeNet colour(3, 7);
  EXPECT_EQ(colour.parameter_count(), 431'080 + 2 * 20 * 25 - 3 * 501);
  check_step(colour, {2, 3, 28, 28}, 7);
  EXPECT_FAILS(model(zeros({1, 1, 32, 32})), "fc1 (nn.Linear 800 -> 500)", "1250");
}

TEST(Models, Mlp) {
  const Sequential model = mlp({784, 128, 10});
  EXPECT_EQ(model.parameter_count(), 784 * 128 + 128 + 1290);
  EXPECT_EQ(names(model), (std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"}));
  check_step(model, {4, 784}, 10);
  EXPECT_EQ(mlp({5, 3}).parameter_count(), 18);
  EXPECT_EQ(mlp({5, 3}).size(), 1u);  // nothing after the last layer
  EXPECT_FAILS(mlp({5}), "mlp", "two sizes");
  EXPECT_FAILS(mlp({5, 0}), "5 -> 0");
}

TEST(Models, SmallCnn) {
  const SmallCnn model;
  EXPECT_EQ(model.parameter_count(), 131'050);
  check_step(model, {3, 1, 28, 28}, 10);
  EXPECT_EQ(model.bn1.num_batches_tracked.item<int64_t>(), 1);
  model.eval();
  const Tensor x = rand({2, 1, 28, 28});
  EXPECT_TRUE(same_bits(model(x), model(x)));  // no dropout, no statistics
  EXPECT_EQ(model.bn1.num_batches_tracked.item<int64_t>(), 1);
}

// The value at `x` of a polynomial of second degree, from those at 1, 2 and 3: numbers of parameters are that of sizes, and large models take long.
int64_t extrapolated(FunctionRef<int64_t(int64_t)> count, int64_t x) {
  const int64_t one = count(1), two = count(2), three = count(3);
  return one + (x - 1) * (two - one) + (x - 1) * (x - 2) / 2 * (three - 2 * two + one);
}

// As published with the papers and with torchvision.
TEST(Models, ParameterCounts) {
  EXPECT_EQ(resnet20({.shortcut = Shortcut::padding}).parameter_count(), 269'722);
  EXPECT_EQ(resnet32({.shortcut = Shortcut::padding}).parameter_count(), 464'154);
  EXPECT_EQ(resnet56({.shortcut = Shortcut::padding}).parameter_count(), 853'018);
  EXPECT_EQ(resnet20().parameter_count(), 272'474);
  EXPECT_EQ(resnet56().parameter_count(), 855'770);
  EXPECT_EQ(resnet18().parameter_count(), 11'689'512);
  EXPECT_EQ(resnet50().parameter_count(), 25'557'032);
  EXPECT_EQ(MobileNetV2().parameter_count(), 3'504'872);
  EXPECT_EQ(extrapolated([](int64_t hidden) { return Vgg11({.hidden = hidden}).parameter_count(); }, 4096), 132'868'840);
  EXPECT_EQ(VisionTransformer().parameter_count(), 5'717'416);
  EXPECT_EQ(CharLstm().parameter_count(), 419'904);
  EXPECT_EQ(Gpt().parameter_count(), 817'728);
  const auto published = [](GptOptions options) {
    options.heads = options.layers = 1;
    const int64_t tokens = options.vocabulary;
    return extrapolated(
        [&](int64_t width) {
          options.width = width;
          options.vocabulary = 1;
          const int64_t smallest = Gpt(options).parameter_count();
          options.layers = 2;
          const int64_t layer = Gpt(options).parameter_count() - smallest;
          options.layers = 1;
          return smallest + 11 * layer + (tokens - 1) * width;
        },
        768);
  };
  EXPECT_EQ(published({.vocabulary = 40478, .context = 512, .tied_head = true}), 116'534'784);                       // GPT
  EXPECT_EQ(published({.vocabulary = 50257, .context = 1024, .norm_first = true, .tied_head = true}), 124'439'808);  // GPT-2
}

// Whether all of these are among the model's parameters and buffers.
void expect_names(const ModuleBase& model, const std::vector<std::string>& expected) {
  std::vector<std::string> all = names(model);
  for (const NamedTensor& t : model.named_buffers()) all.push_back(t.name);
  for (const std::string& name : expected) EXPECT_NE(std::find(all.begin(), all.end(), name), all.end()) << name;
}

TEST(Models, CifarResNet) {
  const CifarResNet model = resnet20(), padded = resnet20({.channels = 1, .classes = 7, .shortcut = Shortcut::padding});
  EXPECT_EQ(names(model).size(), 65u);
  expect_names(model,
               {"conv1.weight", "bn1.running_var", "layer1.2.conv2.weight", "layer2.0.shortcut.0.weight", "layer3.0.shortcut.1.bias", "fc.bias"});
  check_step(model, {2, 3, 32, 32}, 10);
  check_step(padded, {3, 1, 16, 16}, 7);
  EXPECT_FAILS(CifarResNet(21), "nn.CifarResNet", "6 n + 2", "21");
  EXPECT_FAILS(model(zeros({1, 1, 32, 32})), "conv1 (nn.Conv2d 3 -> 16");
}

TEST(Models, ThePaddingShortcutKeepsEveryOtherPixel) {
  const BasicBlock block(2, 3, {.stride = 2, .shortcut = Shortcut::padding});
  Tensor scale = block.bn2.weight.detach();
  std::fill_n(scale.mutable_data<float>(), 3, 0.f);
  const Tensor x = rand({2, 2, 5, 4}), y = block(x);
  ASSERT_EQ(y.shape(), (Shape{2, 3, 3, 2}));
  each_index(y.shape(), [&](std::span<const int64_t> i) {
    EXPECT_EQ(element<float>(y, i), i[1] == 2 ? 0 : element<float>(x, {i[0], i[1], 2 * i[2], 2 * i[3]}));
  });
}

TEST(Models, ResNet) {
  const ResNet small({.classes = 5, .blocks = {1, 2, 1, 1}}), deep({.classes = 5, .blocks = {1, 2, 1, 1}, .bottleneck = true});
  expect_names(small, {"conv1.weight", "layer2.0.downsample.1.running_mean", "layer2.1.conv2.weight", "layer4.0.bn2.bias", "fc.weight"});
  expect_names(deep, {"layer1.0.downsample.0.weight", "layer2.1.conv3.weight", "layer4.0.bn3.num_batches_tracked"});
  EXPECT_EQ(std::ssize(names(small)), 3 + 5 * 6 + 3 * 3 + 2);
  EXPECT_EQ(std::ssize(names(deep)), 3 + 5 * 9 + 4 * 3 + 2);
  check_step(small, {3, 3, 33, 40}, 5);
  check_step(deep, {3, 3, 33, 40}, 5);
}

TEST(Models, MobileNetV2) {
  const MobileNetV2 model({.classes = 5, .width = 0.35});
  expect_names(model, {"features.0.0.weight", "features.1.conv.0.0.weight", "features.1.conv.2.running_var", "features.17.conv.1.1.bias",
                       "features.17.conv.2.weight", "features.18.1.weight", "classifier.1.bias"});
  EXPECT_EQ(model.features.size(), 19u);
  check_step(model, {2, 3, 64, 64}, 5);
}

TEST(Models, Vgg11) {
  const Vgg11 model({.classes = 5, .hidden = 16});
  expect_names(model, {"features.0.weight", "features.0.bias", "features.1.running_mean", "features.4.weight", "features.26.bias",
                       "classifier.0.weight", "classifier.3.weight", "classifier.6.bias"});
  check_step(model, {2, 3, 64, 64}, 5);
  EXPECT_EQ(model(rand({1, 3, 224, 96})).shape(), (Shape{1, 5}));
}

TEST(Models, VisionTransformer) {
  const VisionTransformer model(
      {.image_size = 12, .patch_size = 4, .classes = 5, .width = 8, .layers = 2, .heads = 2, .mlp_width = 16, .dropout = 0.1});
  expect_names(model, {"class_token", "conv_proj.bias", "encoder.pos_embedding", "encoder.layers.encoder_layer_1.ln_1.weight",
                       "encoder.layers.encoder_layer_0.self_attention.in_proj_weight", "encoder.layers.encoder_layer_0.self_attention.out_proj.bias",
                       "encoder.layers.encoder_layer_1.mlp.3.weight", "encoder.ln.bias", "heads.head.weight"});
  EXPECT_EQ(names(model).size(), 4u + 2 * 12 + 4);
  check_step(model, {2, 3, 12, 12}, 5);
  EXPECT_FAILS(model(zeros({1, 3, 8, 12})), "12 x 12", "[1, 3, 8, 12]");
  EXPECT_FAILS(VisionTransformer({.image_size = 10, .patch_size = 4}), "10", "patches of 4");
}

// A model of tokens: all parameters get gradients, and places see what is before them only.
template <class Model>
void check_text_model(const Model& model, int64_t vocabulary) {
  Generator generator(1);
  const Tensor text = randint(0, vocabulary, {2, 6}, generator);
  const Tensor y = model(text);
  ASSERT_EQ(y.shape(), (Shape{2, 6, vocabulary}));
  cross_entropy(reshape(y, {-1, vocabulary}), reshape(text, {-1})).backward();
  for (const NamedTensor& p : model.named_parameters()) EXPECT_GT(norm(p.tensor.grad()).item(), 0) << p.name;
  Tensor changed = clone(text);
  int64_t* last = changed.mutable_data<int64_t>() + 4;
  *last = (*last + 1) % vocabulary;
  const Tensor z = model(changed);
  EXPECT_TRUE(same_bits(narrow(y, 1, 0, 4), narrow(z, 1, 0, 4)));
  EXPECT_FALSE(same_bits(y, z));
}

TEST(Models, CharLstm) {
  const CharLstm model({.vocabulary = 9, .embedding = 5, .units = 6, .layers = 2});
  expect_names(model, {"embed.weight", "lstm.weight_ih_l0", "lstm.bias_hh_l1", "head.bias"});
  check_text_model(model, 9);
  // A text in two parts is the text.
  const Tensor text = randint(0, 9, {2, 7});
  const auto [first, state] = model.continued(narrow(text, 1, 0, 3), {});
  const auto [second, after] = model.continued(narrow(text, 1, 3, 4), state);
  expect_close(cat({first, second}, 1), model(text), 1e-6);
}

TEST(Models, Gpt) {
  const Gpt model({.vocabulary = 9, .context = 6, .width = 8, .heads = 2, .layers = 2});
  expect_names(model, {"token.weight", "position.weight", "blocks.layers.0.self_attn.in_proj_weight", "blocks.layers.1.linear2.bias",
                       "blocks.layers.1.norm2.weight", "head.weight", "head.bias"});
  check_text_model(model, 9);
  const Gpt second({.vocabulary = 9, .context = 6, .width = 8, .heads = 2, .activation = FeedForward::gelu, .norm_first = true, .tied_head = true});
  EXPECT_EQ(names(second).back(), "blocks.norm.bias");
  check_text_model(second, 9);
  EXPECT_FAILS(model(zeros({1, 7}, i64)), "position", "7");
  EXPECT_FAILS(model(full({1, 2}, 9, i64)), "token", "9");
}

// The gradient of the first parameter after a forward and backward pass from the same seed.
template <class Model>
Tensor gradient_of() {
  manual_seed(4);
  const Model model;
  Generator generator(1);
  cross_entropy(model(rand({8, 1, 28, 28}, f32, generator)), randint(0, 10, {8}, generator)).backward();
  manual_seed(0);
  return model.parameters().front().grad();
}

TEST(Models, SameSeedSameBitsOnAnyNumberOfThreads) {
  EXPECT_TRUE(same_bits(gradient_of<LeNet>(), gradient_of<LeNet>()));
  expect_independent_of_threads([] { return gradient_of<LeNet>(); });
  expect_independent_of_threads([] { return gradient_of<SmallCnn>(); });
}

}  // namespace
}  // namespace scry::nn
