// A network that others trained, in another framework: the MNIST classifier of CNTK's tutorial 103D, as the ONNX model zoo keeps it, with its weights
// as an .npz file and three inputs with the outputs that they should have. The environment variable SCRY_DATA names the folder with mnist-cnn/.

#include <scry/core/io/npz.hpp>
#include <cstdlib>
#include <filesystem>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

struct MnistCnn : Module<MnistCnn> {
  Conv2d conv1 = add("conv1", Conv2d{1, 8, {.kernel = 5, .padding = 2}});
  Conv2d conv2 = add("conv2", Conv2d{8, 16, {.kernel = 5, .padding = 2}});
  Linear fc = add("fc", Linear{256, 10});

  Tensor forward(const Tensor& x) const {
    const Tensor h = max_pool2d(relu(conv1(x)), 2);
    return fc(flatten(max_pool2d(relu(conv2(h)), 3), 1));
  }
};

TEST(ForeignNetwork, GivesItsOutputs) {
  const char* data = std::getenv("SCRY_DATA");
  if (!data || !*data) GTEST_SKIP() << "SCRY_DATA doesn't name a folder with mnist-cnn/";
  const std::string folder = std::string(data) + "/mnist-cnn/";
  if (!std::filesystem::exists(folder + "weights.npz")) GTEST_SKIP() << "there is no " << folder << "weights.npz";

  std::vector<NamedTensor> weights = io::load_npz(folder + "weights.npz");
  for (NamedTensor& t : weights)
    if (t.name == "fc.weight_in_out") t = {"fc.weight", transpose(t.tensor, 0, 1)};
  const MnistCnn model;
  load(model, weights);
  for (const char* pair : {"test_data_0.npz", "test_data_1.npz", "test_data_2.npz"}) {
    Tensor input, expected;
    for (const NamedTensor& t : io::load_npz(folder + pair)) (t.name == "inputs" ? input : expected) = t.tensor;
    expect_close(model(reshape(input, {1, 1, 28, 28})), expected, 1e-5);
  }
}

}  // namespace
}  // namespace scry::nn
