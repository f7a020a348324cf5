// Activations and losses as modules: each is its function with its options. What the functions compute is checked in the op table.

#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

template <class Layer>
void expect_same(const Layer& layer, const Tensor& expected, const Tensor& x, const std::string& name) {
  SCOPED_TRACE(name);
  EXPECT_TRUE(same_bits(layer(x), expected));
  EXPECT_EQ(layer.description(), name);
  EXPECT_FAILS(layer(Tensor{}), name);
}

TEST(Activations, AreTheirFunctions) {
  const Tensor x = uniform({2, 4, 3}, -7, 7);
  expect_same(ReLU{}, relu(x), x, "nn.ReLU");
  expect_same(ReLU6{}, relu6(x), x, "nn.ReLU6");
  expect_same(SELU{}, selu(x), x, "nn.SELU");
  expect_same(SiLU{}, silu(x), x, "nn.SiLU");
  expect_same(Mish{}, mish(x), x, "nn.Mish");
  expect_same(Tanh{}, tanh(x), x, "nn.Tanh");
  expect_same(Sigmoid{}, sigmoid(x), x, "nn.Sigmoid");
  expect_same(LogSigmoid{}, logsigmoid(x), x, "nn.LogSigmoid");
  expect_same(Softsign{}, softsign(x), x, "nn.Softsign");
  expect_same(Tanhshrink{}, tanhshrink(x), x, "nn.Tanhshrink");
  expect_same(Hardsigmoid{}, hardsigmoid(x), x, "nn.Hardsigmoid");
  expect_same(Hardswish{}, hardswish(x), x, "nn.Hardswish");
  expect_same(LeakyReLU{}, leaky_relu(x, 0.01), x, "nn.LeakyReLU");
  expect_same(ELU{0.3}, elu(x, 0.3), x, "nn.ELU");
  expect_same(CELU{0.3}, celu(x, 0.3), x, "nn.CELU");
  expect_same(Hardshrink{2}, hardshrink(x, 2), x, "nn.Hardshrink");
  expect_same(Softshrink{2}, softshrink(x, 2), x, "nn.Softshrink");
  expect_same(GELU{}, gelu(x), x, "nn.GELU");
  expect_same(GELU{Gelu::tanh}, gelu(x, Gelu::tanh), x, "nn.GELU");
  expect_same(Softplus{2, 3}, softplus(x, 2, 3), x, "nn.Softplus");
  expect_same(Hardtanh{-2, 3}, hardtanh(x, -2, 3), x, "nn.Hardtanh");
  expect_same(Threshold{1, 20}, threshold(x, 1, 20), x, "nn.Threshold");
  expect_same(Softmax{1}, softmax(x, 1), x, "nn.Softmax");
  expect_same(LogSoftmax{-1}, log_softmax(x, 2), x, "nn.LogSoftmax");
  expect_same(Softmin{0}, softmax(-x, 0), x, "nn.Softmin");
  expect_same(GLU{1}, glu(x, 1), x, "nn.GLU");
  expect_same(Softmax2d{}, softmax(x, 0), x, "nn.Softmax2d");
  EXPECT_FAILS(Softmax2d{}(zeros({2, 3})), "nn.Softmax2d", "[C, H, W]", "[2, 3]");
}

TEST(Activations, PReLULearnsItsSlopes) {
  const PReLU one, each(4, 0.5, f64);
  EXPECT_EQ(one(full({2}, -4)).to_vector<float>(), (std::vector<float>{-1, -1}));
  check_gradients(each, {2, 4, 3});
  EXPECT_EQ(each.named_parameters()[0].name, "weight");
  EXPECT_FAILS(each(zeros({2, 3}, f64)), "nn.PReLU", "[4]");
  EXPECT_FAILS(PReLU(0), "nn.PReLU");
}

TEST(Activations, RReLUDrawsItsSlopesInTraining) {
  const RReLU layer(0.2, 0.6);
  const Tensor x = full({10'000}, -1), y = layer(x);
  double sum = 0;
  for (const float v : y.to_vector<float>()) {
    ASSERT_TRUE(v <= -0.2f && v >= -0.6f) << v;
    sum -= static_cast<double>(v);
  }
  EXPECT_NEAR(sum / 1e4, 0.4, 5 * 0.4 / std::sqrt(12e4));
  EXPECT_TRUE(same_bits(layer(ones({3})), ones({3})));
  layer.eval();
  EXPECT_TRUE(same_bits(layer(x), leaky_relu(x, 0.4)));
  EXPECT_FAILS(RReLU(0.5, 0.1), "nn.RReLU", "0.5");
}

TEST(Losses, AreTheirFunctions) {
  const Tensor x = uniform({3, 4}, 0.1, 0.9), y = uniform({3, 4}, 0.1, 0.9), z = uniform({3, 4}, 0.1, 0.9);
  const Tensor labels = tensor({1, 0, 3}), signs = tensor({1.0, -1.0, 1.0}), weight = tensor({1.0, 2.0, 3.0, 4.0});
  EXPECT_TRUE(same_bits(MSELoss{}(x, y), mse_loss(x, y)));
  EXPECT_TRUE(same_bits(L1Loss({Reduction::none})(x, y), l1_loss(x, y, {Reduction::none})));
  EXPECT_TRUE(same_bits(SmoothL1Loss({.beta = 0.2})(x, y), smooth_l1_loss(x, y, {.beta = 0.2})));
  EXPECT_TRUE(same_bits(HuberLoss({.delta = 0.2})(x, y), huber_loss(x, y, {.delta = 0.2})));
  EXPECT_TRUE(same_bits(BCELoss{}(x, y), binary_cross_entropy(x, y)));
  EXPECT_TRUE(same_bits(BCEWithLogitsLoss({.pos_weight = weight})(x, y), binary_cross_entropy_with_logits(x, y, {.pos_weight = weight})));
  EXPECT_TRUE(same_bits(SigmoidFocalLoss{}(x, y), sigmoid_focal_loss(x, y)));
  EXPECT_TRUE(same_bits(KLDivLoss({.reduction = Reduction::batch_mean})(x, y), kl_div(x, y, {.reduction = Reduction::sum}) / 3));
  EXPECT_TRUE(same_bits(GaussianNLLLoss{}(x, y, z), gaussian_nll_loss(x, y, z)));
  EXPECT_TRUE(same_bits(PoissonNLLLoss{}(x, y), poisson_nll_loss(x, y)));
  EXPECT_TRUE(same_bits(HingeEmbeddingLoss{}(signs, signs), hinge_embedding_loss(signs, signs)));
  EXPECT_TRUE(same_bits(MarginRankingLoss{}(signs, -signs, signs), margin_ranking_loss(signs, -signs, signs)));
  EXPECT_TRUE(same_bits(CosineEmbeddingLoss{}(x, y, signs), cosine_embedding_loss(x, y, signs)));
  EXPECT_TRUE(same_bits(SoftMarginLoss{}(signs, signs), soft_margin_loss(signs, signs)));
  EXPECT_TRUE(same_bits(MultiLabelSoftMarginLoss{}(x, y), multilabel_soft_margin_loss(x, y)));
  EXPECT_TRUE(same_bits(MultiMarginLoss{}(x, labels), multi_margin_loss(x, labels)));
  EXPECT_TRUE(same_bits(TripletMarginLoss{}(x, y, z), triplet_margin_loss(x, y, z)));
  EXPECT_TRUE(same_bits(NLLLoss{}(x, labels), nll_loss(x, labels)));
  const CrossEntropyLoss loss({.weight = weight, .label_smoothing = 0.1});
  EXPECT_TRUE(same_bits(loss(x, labels), cross_entropy(x, labels, {.weight = weight, .label_smoothing = 0.1})));
  EXPECT_EQ(loss.named_buffers()[0].name, "weight");
  EXPECT_FAILS(loss(x, tensor({1, 0, 4})), "nn.CrossEntropyLoss", "label 4 at position 2", "4 classes");
}

// Fused or not: cross entropy is the loss of log_softmax, with the same gradients.
TEST(Losses, CrossEntropyIsItsParts) {
  const Tensor labels = tensor({1, -100, 3, 0, 2, 2}), weight = uniform({4}, 0.5, 2, f64);
  const Tensor a = uniform({6, 4}, -3, 3, f64).requires_grad_(), b = clone(a.detach()).requires_grad_();
  const Tensor whole = cross_entropy(a, labels, {.weight = weight}), parts = nll_loss(log_softmax(b, 1), labels, {.weight = weight});
  expect_close(whole, parts, 1e-14);
  whole.backward();
  parts.backward();
  expect_close(a.grad(), b.grad(), 1e-13);
}

TEST(Losses, CrossEntropyOfLargeLogitsIsExact) {
  const Tensor x = tensor({{1000.0, 0.0}, {0.0, -1000.0}});
  EXPECT_EQ(cross_entropy(x, tensor({1, 1}), {.reduction = Reduction::none}).to_vector<float>(), (std::vector<float>{1000, 1000}));
  EXPECT_TRUE(std::isnan(cross_entropy(x, tensor({-100, -100})).item()));  // the mean of nothing, as in PyTorch
  EXPECT_EQ(cross_entropy(x, tensor({-100, -100}), {.reduction = Reduction::sum}).item(), 0);
}

TEST(Losses, RefuseWhatDoesNotFit) {
  const Tensor x = zeros({2, 3});
  EXPECT_FAILS(mse_loss(x, zeros({2, 1})), "mse_loss", "[2, 3]", "[2, 1]");
  EXPECT_FAILS(mse_loss(x, zeros({2, 3}, f64)), "mse_loss", "f64");
  EXPECT_FAILS(BCELoss{}(full({2}, 1.5), zeros({2})), "nn.BCELoss", "probabilities", "with_logits");
  EXPECT_FAILS(cross_entropy(x, zeros({2}, i64), {.weight = ones({2})}), "weight", "[3]");
  EXPECT_FAILS(cross_entropy(x, zeros({3}, i64)), "i64 labels of shape [2]");
  EXPECT_FAILS(cross_entropy(x, zeros({2}, i64), {.label_smoothing = 2}), "smoothing");
  EXPECT_FAILS(nll_loss(x, full({2}, -1, i64)), "nll_loss", "label -1 at position 0");
  EXPECT_FAILS(hinge_embedding_loss(x, x), "1 or -1");
  EXPECT_FAILS(huber_loss(x, x, {.delta = 0}), "delta");
  EXPECT_FAILS(kl_div(scalar(1), scalar(1), {.reduction = Reduction::batch_mean}), "batch");
}

TEST(Embedding, LooksRowsUp) {
  const Embedding layer(5, 3, {.padding_idx = -1, .dtype = f64});
  const Tensor index = tensor({{1, 4}, {1, 0}}), y = layer(index);
  EXPECT_EQ(y.shape(), (Shape{2, 2, 3}));
  EXPECT_TRUE(same_bits(y[1][0], layer.weight.detach()[1]));
  EXPECT_EQ(layer.weight[4].to_vector<double>(), std::vector<double>(3, 0));
  sum(y * y).backward();
  EXPECT_EQ(layer.weight.grad()[4].to_vector<double>(), std::vector<double>(3, 0));
  expect_close(layer.weight.grad()[1], layer.weight.detach()[1] * 4, 1e-14);
  std::vector<Tensor> weight{layer.weight};
  EXPECT_NO_THROW(gradcheck([&](std::span<const Tensor>) { return layer(tensor({{1, 3}, {1, 0}})); }, weight));
  EXPECT_FAILS(layer(tensor({5})), "nn.Embedding 5 x 3", "5");
  EXPECT_FAILS(layer(tensor({-1})), "nn.Embedding", "-1");
  EXPECT_FAILS(layer(zeros({2})), "nn.Embedding", "i64", "f32");
  EXPECT_FAILS(Embedding(5, 0), "nn.Embedding");
  EXPECT_FAILS(Embedding(5, 3, {.padding_idx = 5}), "padding index 5");
}

}  // namespace
}  // namespace scry::nn
