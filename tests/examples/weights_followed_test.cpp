// Networks for inference and convolutions in training use the weights as they are now, whichever way they changed.

#include <gtest/gtest.h>

#include <scry/autograd/autograd.hpp>
#include <scry/nn/nn.hpp>
#include <scry/optim/optim.hpp>

#include "core/io_support.hpp"

namespace scry::test {
namespace {

// A convolution for every way that weights are brought into a kernel's form, and one of a folded normalisation.
nn::Sequential make_model(DType dtype) {
  return nn::Sequential{nn::Conv2d{6, 32, {.kernel = 3, .padding = 1, .dtype = dtype}},
                        nn::BatchNorm2d{32, {.dtype = dtype}},
                        [](Tensor x) { return relu(std::move(x)); },
                        nn::Conv2d{32, 16, {.kernel = 3, .padding = 1, .dtype = dtype}},
                        nn::Conv2d{16, 16, {.kernel = 3, .groups = 16, .dtype = dtype}},
                        nn::Conv2d{16, 12, {.kernel = 1, .groups = 4, .dtype = dtype}},
                        nn::Conv2d{12, 9, {.kernel = 2, .stride = 2, .dtype = dtype}},
                        nn::Conv2d{9, 2, {.kernel = 2, .dtype = dtype}}};
}

// The same network in other memory, computed without anything kept.
Tensor by_copies(const Tensor& x, const nn::Sequential& model, DType dtype) {
  const nn::Sequential copy = make_model(dtype);
  copy.load(model);
  copy.train(model.training());
  const NoGrad guard;
  return copy(x);
}

TEST(Weights, AreFollowedHoweverTheyChange) {
  for (const DType dtype : {f32, f64})
    for (const int64_t batch : {2, 16}) {
      const nn::Sequential model = make_model(dtype);
      model.eval();
      const auto fast = nn::for_inference(model);
      const Tensor x = randn({batch, 6, 12, 12}, dtype);
      Tensor before;
      const auto check = [&](const char* change) {
        SCOPED_TRACE(change);
        const Tensor expected = by_copies(x, model, dtype), y = fast(x);
        EXPECT_LT(max(abs(y - expected)).item(), 2e-5 * max(abs(expected)).item());
        EXPECT_LT(max(abs(model(x).detach() - expected)).item(), 2e-5 * max(abs(expected)).item());
        const double change_of_result = before.defined() ? max(abs(y - before)).item() : max(abs(y)).item();
        EXPECT_GT(change_of_result, 1e-3 * max(abs(expected)).item());
        before = y;
      };
      const auto each = [&](const auto& change) {
        const NoGrad guard;
        for (const Tensor& p : model.parameters()) change(p);
      };
      check("as made");
      each([](const Tensor& p) { mul_(p, 1.25); });
      check("in place");
      each([](const Tensor& p) { add_(p.at({Slice{0, 1}}), 0.1); });
      check("through views");
      optim::Registry registry{model};
      optim::Lookahead optimizer{optim::Adam{registry, {.lr = 0.02}}, {.k = 2, .alpha = 0.5}};
      each([](const Tensor& p) { mul_(p, 0.5); });
      check("in the registry's arena");
      {
        const NoGrad guard;
        for (const optim::Row& row : registry.rows())
          if (row.role == optim::RowRole::parameter) add_(row.value, 0.05);
      }
      check("through the registry's rows");
      for (int step = 0; step < 3; ++step) {
        registry.zero_grad();
        mean(model(x) * model(x)).backward();
        optimizer.step();
        check("by an optimizer's step");
      }
      model.load(make_model(dtype));
      check("loaded from another network");
      const TempFolder folder;
      nn::save(make_model(dtype), folder / "weights.safetensors");
      nn::load(model, folder / "weights.safetensors");
      check("loaded from a file");
      model.train();
      model(x + 3);
      model.eval();
      check("by statistics");
    }
}

}  // namespace
}  // namespace scry::test
