#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

void set(Tensor t, const std::vector<double>& values) { std::copy(values.begin(), values.end(), t.mutable_data<double>()); }

struct Statistics {
  std::vector<long double> mean, variance;
};

Statistics statistics_of(const Tensor& x) {
  const auto count = static_cast<long double>(x.numel() / x.size(1)), channels = static_cast<long double>(x.size(1));
  Statistics s{std::vector<long double>(static_cast<size_t>(channels)), std::vector<long double>(static_cast<size_t>(channels))};
  each_index(x.shape(),
             [&](std::span<const int64_t> i) { s.mean[static_cast<size_t>(i[1])] += static_cast<long double>(element<double>(x, i)) / count; });
  each_index(x.shape(), [&](std::span<const int64_t> i) {
    const auto c = static_cast<size_t>(i[1]);
    const long double d = static_cast<long double>(element<double>(x, i)) - s.mean[c];
    s.variance[c] += d * d / count;
  });
  return s;
}

TEST(BatchNorm2d, NormalisesByTheBatchInTraining) {
  const BatchNorm2d layer(3, {.eps = 1e-3, .momentum = 0.25, .dtype = f64});
  set(layer.weight, {2, -1, 0.5});
  set(layer.bias, {0.1, 0.2, 0.3});
  const Tensor x = uniform({4, 3, 5, 2}, -2, 7, f64), y = layer(x);
  const Statistics s = statistics_of(x);
  each_index(x.shape(), [&](std::span<const int64_t> i) {
    const auto c = static_cast<size_t>(i[1]);
    const long double normal = (static_cast<long double>(element<double>(x, i)) - s.mean[c]) / std::sqrt(s.variance[c] + 1e-3L);
    ASSERT_NEAR(element<double>(y, i), static_cast<double>(normal) * element<double>(layer.weight, {i[1]}) + element<double>(layer.bias, {i[1]}),
                1e-13);
  });
  for (size_t c = 0; c < 3; ++c) {  // the running variance is the unbiased one
    EXPECT_NEAR(layer.running_mean.to_vector<double>()[c], static_cast<double>(0.25L * s.mean[c]), 1e-14);
    EXPECT_NEAR(layer.running_var.to_vector<double>()[c], static_cast<double>(0.75L + 0.25L * s.variance[c] * 40 / 39), 1e-13);
  }
  EXPECT_EQ(layer.num_batches_tracked.item<int64_t>(), 1);
  layer(x);
  EXPECT_EQ(layer.num_batches_tracked.item<int64_t>(), 2);
}

TEST(BatchNorm2d, NormalisesByTheRunningStatisticsInEvaluation) {
  const BatchNorm2d layer(2, {.dtype = f64});
  set(layer.running_mean, {1, -2});
  set(layer.running_var, {4, 0.25});
  layer.eval();
  const Tensor x = uniform({3, 2, 2, 2}, -2, 2, f64), y = layer(x);
  each_index(x.shape(), [&](std::span<const int64_t> i) {
    const double mean = i[1] ? -2 : 1, variance = i[1] ? 0.25 : 4;
    ASSERT_NEAR(element<double>(y, i), (element<double>(x, i) - mean) / std::sqrt(variance + 1e-5), 1e-13);
  });
  EXPECT_EQ(layer.running_mean.to_vector<double>(), (std::vector<double>{1, -2}));
  EXPECT_EQ(layer.num_batches_tracked.item<int64_t>(), 0);
  EXPECT_EQ(layer(ones({1, 2, 1, 1}, f64)).shape(), (Shape{1, 2, 1, 1}));  // one value a channel is enough here
}

TEST(BatchNorm2d, Gradients) {
  for (const bool affine : {true, false}) {
    for (const bool training : {true, false}) {
      const BatchNorm2d layer(3, {.affine = affine, .dtype = f64});
      if (affine) set(layer.weight, {2, -1, 0.5});
      layer.train(training);
      check_gradients(layer, {3, 3, 2, 2});
    }
  }
}

TEST(BatchNorm1d, TakesMatricesAndSequences) {
  const BatchNorm1d layer(3, {.dtype = f64});
  const Tensor x = uniform({4, 3, 5}, -2, 7, f64), y = layer(x);
  const BatchNorm2d images(3, {.dtype = f64});
  EXPECT_TRUE(same_bits(y, squeeze(images(unsqueeze(x, 3)), 3)));
  expect_close(layer.running_var, images.running_var, 1e-15);
  const Tensor rows = select(x, 2, 0);
  expect_close(layer(rows), (rows - mean(rows, 0)) / sqrt(var(rows, 0, {.correction = 0}) + 1e-5), 1e-13);
  check_gradients(layer, {4, 3});
  check_gradients(layer, {2, 3, 3});
  EXPECT_FAILS(layer(zeros({2, 3, 4, 4}, f64)), "nn.BatchNorm1d 3", "[N, C] or [N, C, L]", "[2, 3, 4, 4]");
  EXPECT_FAILS(layer(zeros({2, 4}, f64)), "nn.BatchNorm1d 3", "expected 3 channels", "[2, 4]");
  EXPECT_FAILS(layer(zeros({1, 3}, f64)), "nn.BatchNorm1d 3", "more than one value");
}

TEST(BatchNorm2d, WithoutMomentumAveragesOverAllBatches) {
  const BatchNorm2d layer(2, {.momentum = std::nullopt, .dtype = f64});
  Tensor sum = zeros({2}, f64), variances = zeros({2}, f64);
  for (int i = 0; i < 3; ++i) {
    const Tensor x = uniform({3, 2, 2, 2}, -2, 7, f64);
    layer(x);
    sum = sum + mean(x, {0, 2, 3});
    variances = variances + var(x, {0, 2, 3});
  }
  expect_close(layer.running_mean, sum / 3, 1e-13);
  expect_close(layer.running_var, variances / 3, 1e-13);
}

TEST(BatchNorm2d, WithoutRunningStatisticsGoesByTheBatch) {
  const BatchNorm2d layer(2, {.track_running_stats = false, .dtype = f64});
  EXPECT_TRUE(layer.named_buffers().empty());
  const Tensor x = uniform({3, 2, 2, 2}, -2, 7, f64), trained = layer(x);
  layer.eval();
  EXPECT_TRUE(same_bits(layer(x), trained));
  check_gradients(layer, {2, 2, 2, 1});
}

TEST(BatchNorm2d, StaysExactFarFromZero) {
  const BatchNorm2d layer(1, {.affine = false});
  const Tensor noise = uniform({8, 1, 16, 16}, -1, 1, f64), x = cast(noise + 10000, f32);
  const Statistics s = statistics_of(cast(x, f64));
  expect_close(layer(x), (cast(x, f64) - static_cast<double>(s.mean[0])) / std::sqrt(static_cast<double>(s.variance[0]) + 1e-5), 1e-3);
}

TEST(BatchNorm2d, HasPyTorchsNames) {
  const BatchNorm2d layer(2), bare(2, {.affine = false});
  ASSERT_EQ(layer.named_parameters().size(), 2u);
  EXPECT_EQ(layer.named_parameters()[0].name, "weight");
  EXPECT_EQ(layer.named_parameters()[1].name, "bias");
  ASSERT_EQ(layer.named_buffers().size(), 3u);
  EXPECT_EQ(layer.named_buffers()[0].name, "running_mean");
  EXPECT_EQ(layer.named_buffers()[1].name, "running_var");
  EXPECT_EQ(layer.named_buffers()[2].name, "num_batches_tracked");
  EXPECT_EQ(layer.named_buffers()[2].tensor.dtype(), i64);
  EXPECT_TRUE(bare.named_parameters().empty());
}

TEST(BatchNorm2d, Errors) {
  const BatchNorm2d layer(3);
  const Tensor mean = clone(layer.running_mean);
  EXPECT_FAILS(layer(zeros({2, 4, 5, 5})), "nn.BatchNorm2d 3", "expected 3 channels", "[2, 4, 5, 5]");
  EXPECT_FAILS(layer(zeros({2, 3})), "nn.BatchNorm2d 3", "[N, C, H, W]", "[2, 3]");
  EXPECT_FAILS(layer(ones({2, 3, 5, 5}, f64)), "nn.BatchNorm2d 3", "f64", "f32");
  EXPECT_FAILS(layer(ones({2, 3, 5, 5}, i64)), "nn.BatchNorm2d 3", "i64");
  EXPECT_FAILS(layer(ones({1, 3, 1, 1})), "nn.BatchNorm2d 3", "more than one value");
  EXPECT_FAILS(layer(Tensor{}), "nn.BatchNorm2d 3", "undefined");
  EXPECT_TRUE(same_bits(layer.running_mean, mean));
  EXPECT_EQ(layer.num_batches_tracked.item<int64_t>(), 0);
  EXPECT_FAILS(BatchNorm2d(0), "nn.BatchNorm2d 0", "at least one");
}

// The op under the layer: all that it reads must be of one type.
TEST(BatchNorm2d, TheOpChecksTypes) {
  const Tensor x = ones({2, 3, 2, 2}), w = ones({3});
  EXPECT_FAILS(batch_norm(x, {}, ones({3}, f64), ones({3}, f64)), "batch_norm", "f64");
  EXPECT_FAILS(batch_norm(x, {}, w, ones({3}, f64)), "batch_norm", "f64");
  EXPECT_FAILS(batch_norm(x, {}, w, {}), "batch_norm", "both");
  EXPECT_FAILS(batch_norm(x, {}, ones({4}), ones({4})), "batch_norm", "[3]", "[4]");
}

}  // namespace
}  // namespace scry::nn
