// Initial values: their statistics and properties.

#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

struct Spread {
  double mean = 0, deviation = 0, least = 0, greatest = 0;
};
Spread of(const Tensor& x) { return {mean(x).item(), std(x).item(), min(x).item(), max(x).item()}; }

// A weight whose fans are 4 x 9 = 36 inputs and 1000 x 9 = 9000 outputs; its mean and deviation are known to a hundredth.
Tensor weight() { return zeros({1000, 4, 3, 3}); }

void expect_uniform(const Tensor& x, double deviation) {
  const Spread s = of(x);
  EXPECT_NEAR(s.mean, 0, 0.03 * deviation);
  EXPECT_NEAR(s.deviation, deviation, 0.02 * deviation);
  EXPECT_NEAR(s.greatest, std::sqrt(3.0) * deviation, 0.01 * deviation);
  EXPECT_NEAR(s.least, -std::sqrt(3.0) * deviation, 0.01 * deviation);
}
void expect_normal(const Tensor& x, double deviation) {
  const Spread s = of(x);
  EXPECT_NEAR(s.mean, 0, 0.03 * deviation);
  EXPECT_NEAR(s.deviation, deviation, 0.02 * deviation);
  EXPECT_GT(s.greatest, 3 * deviation);  // of 36,000 numbers some lie beyond
}

TEST(Init, VariancesFollowTheFans) {
  using Mode = init::KaimingOptions::Mode;
  EXPECT_EQ(init::fans_of(weight()).in, 36);
  EXPECT_EQ(init::fans_of(weight()).out, 9000);
  expect_uniform(init::xavier_uniform_(weight(), 2), 2 * std::sqrt(2.0 / 9036));
  expect_normal(init::xavier_normal_(weight()), std::sqrt(2.0 / 9036));
  expect_uniform(init::kaiming_uniform_(weight(), {.a = std::sqrt(5.0)}), std::sqrt(1.0 / 3 / 36));
  expect_normal(init::kaiming_normal_(weight(), {.mode = Mode::fan_out, .nonlinearity = init::Nonlinearity::relu}), std::sqrt(2.0 / 9000));
  expect_uniform(init::lecun_uniform_(weight()), 1.0 / 6);
  expect_normal(init::lecun_normal_(weight()), 1.0 / 6);
  expect_normal(init::normal_(weight(), 0, 3), 3);
  EXPECT_NEAR(of(init::uniform_(weight(), 2, 4)).mean, 3, 0.02);
  EXPECT_EQ(of(init::constant_(weight(), 5)).least, 5);
  EXPECT_FAILS(init::xavier_uniform_(zeros({3})), "[3]", "[out, in, kernel…]");
  EXPECT_FAILS(init::normal_(zeros({3}, i64)), "normal_");
}

TEST(Init, GainsAreThoseOfPyTorch) {
  using enum init::Nonlinearity;
  EXPECT_EQ(init::calculate_gain(linear), 1);
  EXPECT_EQ(init::calculate_gain(sigmoid), 1);
  EXPECT_DOUBLE_EQ(init::calculate_gain(tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(init::calculate_gain(relu), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(init::calculate_gain(leaky_relu, 0.5), std::sqrt(1.6));
  EXPECT_EQ(init::calculate_gain(selu), 0.75);
}

// The distribution function of a truncated normal distribution, against how many values lie below.
TEST(Init, TruncatedNormals) {
  const auto below = [](double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; };
  struct Case {
    double mean, deviation, low, high;
  };
  for (const auto& [mean, deviation, low, high] : {Case{0, 1, -2, 2}, Case{1, 0.5, 1, 4}, Case{0, 1, 5, 6}, Case{3, 2, -9, -5}}) {
    const Tensor x = init::trunc_normal_(zeros({20'000}, f64), mean, deviation, low, high);
    EXPECT_GE(of(x).least, low);
    EXPECT_LE(of(x).greatest, high);
    // In a far tail both differ from 1 by little: from above.
    const bool upper = low > mean;
    const auto share = [&](double v) { return upper ? below((mean - v) / deviation) : below((v - mean) / deviation); };
    for (const double part : {0.1, 0.5, 0.9}) {
      const double v = low + part * (high - low);
      const double expected = (share(v) - share(low)) / (share(high) - share(low));
      const double got = static_cast<double>(count_nonzero(lt(x, v)).item<int64_t>()) / 20'000;
      EXPECT_NEAR(got, expected, 5 * std::sqrt(0.25 / 20'000)) << mean << ' ' << low << ' ' << v;
    }
  }
  EXPECT_FAILS(init::trunc_normal_(zeros({2}), 0, 1, 2, 1), "low < high");
}

TEST(Init, OrthogonalRowsOrColumns) {
  for (const Shape& shape : {Shape{5, 12}, Shape{12, 5}, Shape{6, 6}, Shape{4, 3, 2, 2}, Shape{1, 7}}) {
    const Tensor w = init::orthogonal_(zeros(shape, f64), 3), m = reshape(w, {shape[0], -1});
    const bool wide = m.size(0) <= m.size(1);
    expect_close(wide ? matmul(m, transpose(m, 0, 1)) : matmul(transpose(m, 0, 1), m), eye(std::min(m.size(0), m.size(1)), -1, f64) * 9, 1e-13);
  }
  EXPECT_EQ(of(init::orthogonal_(weight(), 0)).greatest, 0);
}

TEST(Init, DiracPassesChannelsOn) {
  const Tensor x = rand({2, 4, 5, 5}), w = init::dirac_(zeros({4, 2, 3, 3}), 2);
  EXPECT_TRUE(same_bits(conv2d(x, w, {}, {.padding = 1, .groups = 2}), x));
  EXPECT_EQ(sum(init::dirac_(zeros({5, 3, 3}))).item(), 3);
  EXPECT_FAILS(init::dirac_(zeros({4, 2})), "dirac_", "[4, 2]");
}

TEST(Init, SeededAndIndependentOfThreads) {
  expect_independent_of_threads([] {
    Generator generator(3);
    std::vector<Tensor> all;
    all.push_back(init::xavier_normal_(weight(), 1, generator));
    all.push_back(init::kaiming_uniform_(weight(), {}, generator));
    all.push_back(init::trunc_normal_(weight(), 0, 1, -1, 1, generator));
    return stack(all);
  });
  Generator one(3), other(3);
  EXPECT_TRUE(same_bits(init::orthogonal_(weight(), 1, one), init::orthogonal_(weight(), 1, other)));
}

TEST(Init, ParametersAreFilledInPlace) {
  const Linear layer(3, 4);
  const Tensor y = sum(layer(ones({1, 3}).requires_grad_()));
  init::constant_(layer.weight, 2);
  EXPECT_EQ(layer.weight.to_vector<float>(), std::vector<float>(12, 2));
  EXPECT_TRUE(layer.weight.requires_grad());
  EXPECT_FAILS(y.backward(), "changed in place");
}

}  // namespace
}  // namespace scry::nn
