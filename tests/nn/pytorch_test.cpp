// PyTorch as the other side: with the same weights and inputs, layers and models give the same outputs and gradients, and weights move both ways.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/core/io/safetensors.hpp>
#include <scry/nn/nn.hpp>

#include "core/io_support.hpp"
#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::testing;

constexpr const char* script = R"(
import sys, torch
from torch import nn
from torch.nn import functional as F
from safetensors.torch import save_file, load_file

mode, folder = sys.argv[1:]
torch.manual_seed(7)

class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)
    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        return self.fc2(F.relu(self.fc1(h.flatten(1))))

class SmallCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.conv3, self.bn3 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.fc1, self.fc2 = nn.Linear(576, 128), nn.Linear(128, 10)
    def forward(self, x):
        h = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        h = F.max_pool2d(F.relu(self.bn2(self.conv2(h))), 2)
        h = F.max_pool2d(F.relu(self.bn3(self.conv3(h))), 2)
        return self.fc2(F.relu(self.fc1(h.flatten(1))))

cases = {
    "linear": (lambda: nn.Linear(7, 5), (4, 7), True),
    "linear_no_bias": (lambda: nn.Linear(7, 5, bias=False), (2, 3, 7), True),
    "conv": (lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), (3, 4, 9, 8), True),
    "conv_groups": (lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2, bias=False), (3, 4, 6, 5), True),
    "batch_norm": (lambda: nn.BatchNorm2d(5, eps=1e-3, momentum=0.2), (3, 5, 4, 3), True),
    "batch_norm_eval": (lambda: nn.BatchNorm2d(5), (3, 5, 4, 3), False),
    "lenet": (LeNet, (4, 1, 28, 28), True),
    "mlp": (lambda: nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10)), (6, 20), True),
    "small_cnn_eval": (SmallCnn, (4, 1, 28, 28), False),
}
for name, (make, shape, training) in cases.items():
    for dtype in (torch.float32, torch.float64):
        base = f"{folder}/{name}_{'f32' if dtype == torch.float32 else 'f64'}"
        if mode == "read":  # what the other side has written loads strictly, and is what it got from us, bit by bit
            model = make().to(dtype)
            model.load_state_dict(load_file(base + ".theirs"), strict=True)
            expected = load_file(base + ".state_after")
            for key, value in model.state_dict().items():
                if value.is_floating_point() and "running" in key:
                    torch.testing.assert_close(value, expected[key])
                else:
                    assert torch.equal(value, expected[key]), (base, key)
            continue
        model = make().to(dtype)
        with torch.no_grad():
            for key, value in model.state_dict().items():
                if "running_mean" in key or ("bn" in key or "batch_norm" in name) and "bias" in key: value.uniform_(-1, 1)
                if "running_var" in key or ("bn" in key or "batch_norm" in name) and "weight" in key: value.uniform_(0.5, 1.5)
        model.train(training)
        save_file({k: v.clone() for k, v in model.state_dict().items()}, base + ".state")
        x = torch.randn(shape, dtype=dtype, requires_grad=True)
        y = model(x)
        g = torch.randn_like(y)
        y.backward(g)
        out = {"x": x.detach(), "g": g, "y": y.detach(), "dx": x.grad}
        out |= {"grad." + k: p.grad for k, p in model.named_parameters()}
        save_file({k: v.contiguous() for k, v in out.items()}, base + ".run")
        save_file({k: v.clone() for k, v in model.state_dict().items()}, base + ".state_after")
)";

struct Case {
  std::string name;
  std::function<std::pair<std::shared_ptr<ModuleBase>, std::function<Tensor(const Tensor&)>>(DType)> make;
  bool single_precision_only = false;
  bool training = true;
};

template <class Make>
Case layer(const std::string& name, const Make& make, bool single_precision_only = false, bool training = true) {
  return {name,
          [make](DType dtype) {
            using Model = decltype(make(dtype));
            const auto model = std::make_shared<Model>(make(dtype));
            return std::pair<std::shared_ptr<ModuleBase>, std::function<Tensor(const Tensor&)>>(model,
                                                                                                [model](const Tensor& x) { return (*model)(x); });
          },
          single_precision_only, training};
}

// nn::LeNet's network in any element type.
struct TypedLeNet : Module<TypedLeNet> {
  explicit TypedLeNet(DType dtype)
      : conv1(add("conv1", Conv2d{1, 20, {.kernel = 5, .dtype = dtype}})),
        conv2(add("conv2", Conv2d{20, 50, {.kernel = 5, .dtype = dtype}})),
        fc1(add("fc1", Linear{800, 500, {.dtype = dtype}})),
        fc2(add("fc2", Linear{500, 10, {.dtype = dtype}})) {}
  Tensor forward(const Tensor& x) const {
    const Tensor h = max_pool2d(relu(conv2(max_pool2d(relu(conv1(x)), 2))), 2);
    return fc2(relu(fc1(flatten(h, 1))));
  }
  Conv2d conv1, conv2;
  Linear fc1, fc2;
};

std::vector<Case> cases() {
  return {
      layer("linear", [](DType d) { return Linear(7, 5, {.dtype = d}); }),
      layer("linear_no_bias", [](DType d) { return Linear(7, 5, {.bias = false, .dtype = d}); }),
      layer("conv",
            [](DType d) {
              return Conv2d(4, 6, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .dtype = d});
            }),
      layer("conv_groups", [](DType d) { return Conv2d(4, 6, {.kernel = 3, .padding = 1, .groups = 2, .bias = false, .dtype = d}); }),
      layer("batch_norm", [](DType d) { return BatchNorm2d(5, {.eps = 1e-3, .momentum = 0.2, .dtype = d}); }),
      layer(
          "batch_norm_eval", [](DType d) { return BatchNorm2d(5, {.dtype = d}); }, false, false),
      layer(
          "lenet", [](DType) { return LeNet(); }, true),
      layer("lenet", [](DType d) { return TypedLeNet(d); }),
      layer(
          "mlp",
          [](DType) {
            return mlp({20, 30, 10});
          },
          true),
      layer(
          "small_cnn_eval", [](DType) { return SmallCnn(); }, true, false),
  };
}

class PyTorch : public ::testing::Test {
 protected:
  bool python(const std::string& arguments) const { return std::system(("python3 " + arguments).c_str()) == 0; }
  TempFolder folder_;
};

TEST_F(PyTorch, GivesTheSameOutputsAndGradients) {
  if (!python("-c 'import torch, safetensors.torch' 2>/dev/null"))
    GTEST_SKIP() << "python3 with torch and safetensors is not there (pip install torch safetensors)";
  const std::string program = put(folder_ / "torch_side.py", script);
  ASSERT_TRUE(python("'" + program + "' write '" + folder_.path() + "'"));
  for (const Case& c : cases()) {
    for (const DType dtype : {f32, f64}) {
      if (c.single_precision_only && dtype == f64) continue;
      SCOPED_TRACE(c.name + " in " + std::string(name_of(dtype)));
      const std::string base = folder_ / (c.name + "_" + std::string(name_of(dtype)));
      const double tolerance = dtype == f32 ? 1e-5 : 1e-10;
      const auto [model, run] = c.make(dtype);
      model->train(c.training);
      load(*model, base + ".state");
      std::map<std::string, Tensor> theirs;
      for (const NamedTensor& t : io::load_safetensors(base + ".run").tensors) theirs[t.name] = t.tensor;
      const Tensor x = theirs.at("x").requires_grad_();
      const Tensor y = run(x);
      y.backward(theirs.at("g"));
      expect_close(y, theirs.at("y"), tolerance);
      expect_close(x.grad(), theirs.at("dx"), tolerance);
      for (const NamedTensor& p : model->named_parameters()) {
        SCOPED_TRACE(p.name);
        expect_close(p.tensor.grad(), theirs.at("grad." + p.name), tolerance);
      }
      std::map<std::string, Tensor> after;
      for (const NamedTensor& t : io::load_safetensors(base + ".state_after").tensors) after[t.name] = t.tensor;
      for (const NamedTensor& b : model->named_buffers()) {
        SCOPED_TRACE(b.name);
        expect_close(b.tensor, after.at(b.name), tolerance);
      }
      save(*model, base + ".theirs");
    }
  }
  // The cases that aren't there in f64 here are their own.
  for (const std::string name : {"mlp_f64", "small_cnn_eval_f64"})
    std::filesystem::copy_file(folder_ / (name + ".state_after"), folder_ / (name + ".theirs"));
  EXPECT_TRUE(python("'" + program + "' read '" + folder_.path() + "'"));
}

}  // namespace
}  // namespace scry::nn
