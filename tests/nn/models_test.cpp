#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::testing;

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
    double squares = 0;
    for (const double g : p.tensor.grad().to_vector<double>()) squares += g * g;
    EXPECT_TRUE(squares > 0 && squares < 1e6) << p.name << ": " << squares;
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
  expect_independent_of_threads(gradient_of<LeNet>);
  expect_independent_of_threads(gradient_of<SmallCnn>);
}

}  // namespace
}  // namespace scry::nn
