#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

TEST(Dropout, DropsAndScalesInTraining) {
  const Dropout layer(0.25);
  const Tensor x = ones({100'000}), y = layer(x);
  int64_t dropped = 0;
  for (const float v : y.to_vector<float>()) {
    ASSERT_TRUE(v == 0 || v == 1 / 0.75f) << v;
    dropped += v == 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped), 25'000, 5 * std::sqrt(1e5 * 0.25 * 0.75));
  EXPECT_FALSE(same_bits(layer(x), y));  // another mask each time
}

TEST(Dropout, DoesNothingInEvaluation) {
  const Dropout layer(0.5);
  layer.eval();
  const Tensor x = ones({10});
  const uint64_t counter = default_generator().counter();
  EXPECT_TRUE(same_node(layer(x), x));
  EXPECT_EQ(default_generator().counter(), counter);
}

TEST(Dropout, MaskIsAFunctionOfTheGenerator) {
  const Dropout layer(0.5);
  expect_independent_of_threads([&] {
    manual_seed(3);
    return layer(ones({70'000}));
  });
  Generator a(1), b(1), c(2);
  EXPECT_TRUE(same_bits(dropout(ones({100}), 0.5, a), dropout(ones({100}), 0.5, b)));
  EXPECT_FALSE(same_bits(dropout(ones({100}), 0.5, a), dropout(ones({100}), 0.5, c)));
  manual_seed(0);
}

template <class Layer>
struct Repeated : Module<Repeated<Layer>> {  // the same mask at every call
  explicit Repeated(const Layer& layer) : drop(this->add("drop", layer)) {}
  Tensor forward(const Tensor& x) const {
    manual_seed(5);
    return drop(x);
  }
  Layer drop;
};

TEST(Dropout, Gradients) {
  for (const double p : {0.0, 0.3, 1.0}) {
    check_gradients(Repeated(Dropout(p)), {4, 5});
  }
  manual_seed(0);
}

// The share of zeros, and that everything else is x / (1 - p), in groups of `size` neighbours that are dropped together.
double dropped_share(const Tensor& y, int64_t size, double p) {
  const std::vector<double> values = y.to_vector<double>();
  int64_t dropped = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double first = values[i / static_cast<size_t>(size) * static_cast<size_t>(size)];
    EXPECT_EQ(values[i], first);
    EXPECT_TRUE(values[i] == 0 || std::abs(values[i] - 1 / (1 - p)) < 1e-6);
    dropped += values[i] == 0;
  }
  return static_cast<double>(dropped) / static_cast<double>(values.size());
}

TEST(Dropout, DropsChannelsAndSamples) {
  EXPECT_NEAR(dropped_share(Dropout2d(0.3)(ones({40, 250, 2, 3})), 6, 0.3), 0.3, 5 * std::sqrt(0.21 / 1e4));
  EXPECT_NEAR(dropped_share(Dropout1d(0.3)(ones({40, 250, 2})), 2, 0.3), 0.3, 5 * std::sqrt(0.21 / 1e4));
  EXPECT_NEAR(dropped_share(StochasticDepth(0.3)(ones({10'000, 4})), 4, 0.3), 0.3, 5 * std::sqrt(0.21 / 1e4));
  int64_t whole = 0;
  for (int i = 0; i < 200; ++i) whole += dropped_share(StochasticDepth(0.25, DropPath::batch)(ones({3, 2})), 6, 0.25) == 1;
  EXPECT_NEAR(static_cast<double>(whole), 50, 5 * std::sqrt(200 * 0.25 * 0.75));
}

TEST(Dropout, AlphaKeepsMeanAndVariance) {
  const Tensor x = randn({200'000}, f64), y = AlphaDropout(0.2)(x);
  EXPECT_NEAR(mean(y).item(), 0, 0.015);
  EXPECT_NEAR(var(y).item(), 1, 0.02);
  // A dropped element is a (-1.758) + b, a kept one a x + b.
  const double a = 1 / std::sqrt(0.8 * (1 + 0.2 * 1.7580993408473766 * 1.7580993408473766)), b = a * 0.2 * 1.7580993408473766;
  int64_t dropped = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const double is = element<double>(y, {i}), kept = a * element<double>(x, {i}) + b, lost = b - a * 1.7580993408473766;
    EXPECT_TRUE(std::abs(is - kept) < 1e-12 || std::abs(is - lost) < 1e-12) << is;
    dropped += std::abs(is - lost) < 1e-12;
  }
  EXPECT_NEAR(static_cast<double>(dropped), 200, 70);
}

TEST(Dropout, OthersDoNothingInEvaluation) {
  const Tensor x = ones({2, 3, 4, 5});
  const auto check = [&](const auto& layer) {
    layer.eval();
    EXPECT_TRUE(same_node(layer(x), x));
  };
  check(Dropout2d());
  check(AlphaDropout());
  check(StochasticDepth(0.5));
}

TEST(Dropout, GradientsOfTheOthers) {
  check_gradients(Repeated(Dropout2d(0.4)), {2, 3, 2, 2});
  check_gradients(Repeated(AlphaDropout(0.4)), {4, 5});
  check_gradients(Repeated(StochasticDepth(0.4)), {5, 2});
  manual_seed(0);
}

TEST(Dropout, Extremes) {
  const Tensor x = rand({20});
  EXPECT_TRUE(same_bits(Dropout(0)(x), x));
  EXPECT_EQ(Dropout(1)(x).to_vector<float>(), std::vector<float>(20, 0));
  EXPECT_FAILS(Dropout(-0.1), "nn.Dropout", "-0.1");
  EXPECT_FAILS(Dropout(1.5), "nn.Dropout", "1.5");
  EXPECT_FAILS(Dropout(NAN), "nn.Dropout", "nan");
  EXPECT_FAILS(Dropout(0.5)(zeros({2}, i64)), "nn.Dropout", "i64");
  EXPECT_FAILS(Dropout2d(2), "nn.Dropout2d", "2");
  EXPECT_FAILS(AlphaDropout(2), "nn.AlphaDropout", "2");
  EXPECT_FAILS(StochasticDepth(2), "nn.StochasticDepth", "2");
  EXPECT_FAILS(Dropout2d()(zeros({2, 3, 4})), "nn.Dropout2d p 0.5", "[N, C, H, W]", "[2, 3, 4]");
  EXPECT_FAILS(Dropout1d()(zeros({2, 3, 4, 5})), "nn.Dropout1d", "[N, C, L]");
  EXPECT_FAILS(StochasticDepth(0.5)(scalar(1)), "nn.StochasticDepth p 0.5", "1 axes");
  EXPECT_FAILS(AlphaDropout()(zeros({2}, i64)), "nn.AlphaDropout", "i64");
  EXPECT_EQ(AlphaDropout(1)(ones({2})).to_vector<float>(), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace scry::nn
