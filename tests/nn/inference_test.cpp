#include <scry/autograd/observer.hpp>
#include <scry/nn/nn.hpp>
#include <map>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

double difference(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item() / max(abs(b)).item(); }

// Statistics and scales that a fold can't miss.
template <class Model>
void disturb(const Model& model) {
  const NoGrad guard;
  for (const NamedTensor& buffer : model.named_buffers())
    if (is_floating(buffer.tensor.dtype())) copy_(buffer.tensor, rand(buffer.tensor.shape()) + 0.5);
  for (const NamedTensor& p : model.named_parameters())
    if (p.tensor.rank() == 1) copy_(p.tensor, rand(p.tensor.shape()) + 0.5);
}

template <class Model>
void expect_same(const Model& model, const Tensor& x, const InferenceOptions& options = {}) {
  disturb(model);
  const auto fast = for_inference(model, options);
  const NoGrad guard;
  const Tensor expected = model(x);
  for (int i = 0; i < 2; ++i) {
    const Tensor y = fast(x);
    ASSERT_EQ(y.shape(), expected.shape());
    EXPECT_LT(difference(y, expected), 2e-5);
  }
}

TEST(ForInference, GivesWhatTheModelGives) {
  manual_seed(1);
  const CifarResNet model{8};
  for (const int64_t batch : {1, 2, 5}) expect_same(model, randn({batch, 3, 16, 16}));
  expect_same(model, randn({7, 3, 12, 9}), {.chunk = 2});
  expect_same(Sequential{Conv1d{4, 6, {.kernel = 3}}, BatchNorm1d{6}, relu, Conv1d{6, 5, {.kernel = 1}}, BatchNorm1d{5}}, randn({3, 4, 11}));
}

struct Counter : autograd::Observer {
  std::map<std::string, int> ops;
  void computed(const char* op, const Tensor&, int64_t) override { ++ops[op]; }
};

TEST(ForInference, RunsNoNormalisationThatAConvolutionHasDone) {
  const Sequential model{Conv2d{3, 8, {.kernel = 3, .bias = false}}, BatchNorm2d{8}, relu, Conv2d{8, 8, {.kernel = 3}}, BatchNorm2d{8}};
  const auto before = model.parameters()[0].to_vector<float>();
  const auto fast = for_inference(model);
  const Tensor x = randn({1, 3, 5, 5});
  fast(x);
  Counter counter;
  EXPECT_FALSE(fast(x).requires_grad());
  EXPECT_EQ(counter.ops["conv2d"], 2);
  EXPECT_EQ(counter.ops["batch_norm"], 0);
  EXPECT_EQ(model.parameters()[0].to_vector<float>(), before);
  model(x);
  EXPECT_EQ(counter.ops["batch_norm"], 2);
}

struct ReadTwice : Module<ReadTwice> {
  Conv2d conv = add("conv", Conv2d{2, 2, {.kernel = 3, .padding = 1}});
  BatchNorm2d bn = add("bn", BatchNorm2d{2});
  Tensor forward(const Tensor& x) const {
    const Tensor h = conv(x);
    return bn(h) + h;
  }
};

struct UsedTwice : Module<UsedTwice> {
  Conv2d conv = add("conv", Conv2d{2, 2, {.kernel = 3, .padding = 1}});
  BatchNorm2d a = add("a", BatchNorm2d{2}), b = add("b", BatchNorm2d{2});
  Tensor forward(const Tensor& x) const { return b(conv(relu(a(conv(x))))); }
};

struct SharedNorm : Module<SharedNorm> {
  Conv2d a = add("a", Conv2d{2, 2, {.kernel = 1}}), b = add("b", Conv2d{2, 2, {.kernel = 1}});
  BatchNorm2d bn = add("bn", BatchNorm2d{2});
  Tensor forward(const Tensor& x) const { return bn(a(x)) * bn(b(x)); }
};

TEST(ForInference, FoldsOnlyWhereNothingElseReadsTheConvolution) {
  expect_same(ReadTwice{}, randn({3, 2, 6, 6}));
  expect_same(UsedTwice{}, randn({3, 2, 6, 6}));
  expect_same(SharedNorm{}, randn({3, 2, 6, 6}));
}

TEST(ForInference, FollowsTheWeights) {
  const Sequential model{Conv2d{3, 4, {.kernel = 3, .bias = false}}, BatchNorm2d{4}, relu};
  const auto fast = for_inference(model);
  const Tensor x = randn({4, 3, 6, 6});
  fast(x);
  disturb(model);
  const NoGrad guard;
  EXPECT_LT(difference(fast(x), model(x)), 2e-5);
  for (const Tensor& p : model.parameters()) mul_(p, 2.0);
  EXPECT_LT(difference(fast(x), model(x)), 2e-5);
  model.train();
  EXPECT_FAILS(fast(x), "for_inference", "eval()");
}

struct CentersBatches : Module<CentersBatches> {
  Linear fc = add("fc", Linear{3, 3});
  Tensor forward(const Tensor& x) const { return fc(x - mean(x, 0, true)); }
};

TEST(ForInference, KeepsABatchWholeWhereSamplesDependOnEachOther) {
  const CentersBatches model;
  const auto fast = for_inference(model, {.chunk = 2});
  const Tensor x = randn({6, 3});
  EXPECT_LT(difference(fast(x), model(x).detach()), 1e-6);
}

struct Wavering : Module<Wavering> {
  Conv2d conv = add("conv", Conv2d{1, 1, {.kernel = 1}});
  BatchNorm2d bn = add("bn", BatchNorm2d{1});
  Tensor forward(const Tensor& x) const {
    const Tensor h = conv(x);
    return x.to_vector<float>()[0] > 0 ? bn(h) : h;
  }
};

TEST(ForInference, NoticesAnotherWayThroughTheNetwork) {
  const auto fast = for_inference(Wavering{});
  fast(ones({1, 1, 2, 2}));
  EXPECT_FAILS(fast(zeros({1, 1, 2, 2})), "for_inference", "another way");
  fast(ones({1, 1, 2, 2}));
}

struct TwoInputs : Module<TwoInputs> {
  Conv2d conv = add("conv", Conv2d{2, 3, {.kernel = 3}});
  BatchNorm2d bn = add("bn", BatchNorm2d{3});
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& y) const { return {bn(conv(x + y)), x}; }
};

TEST(ForInference, TakesAndReturnsAnything) {
  const TwoInputs model;
  disturb(model);
  const auto fast = for_inference(model);
  const Tensor x = randn({2, 2, 5, 5}), y = randn({2, 2, 5, 5});
  const auto [a, b] = fast(x, y);
  EXPECT_LT(difference(a, model(x, y).first.detach()), 2e-5);
  EXPECT_TRUE(same_node(b, x));
}

}  // namespace
}  // namespace scry::nn
