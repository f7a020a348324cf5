#include <scry/core/random.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

using Words = std::array<uint32_t, 4>;

// Philox4x32-10 written out from the paper (Salmon et al., SC 2011, section 4.3).
Words philox(Words counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0], b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

uint64_t low(uint64_t x) { return x & 0xffffffff; }
Words block(uint64_t seed, uint64_t counter) {
  return philox({static_cast<uint32_t>(low(counter)), static_cast<uint32_t>(counter >> 32), 0, 0},
                {static_cast<uint32_t>(low(seed)), static_cast<uint32_t>(seed >> 32)});
}

// The known answers that come with Random123.
TEST(Random, ReferenceGivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, NextIsTheFirstHalfOfABlock) {
  EXPECT_EQ(Generator(0).next(), 0xe169c58d6627e8d5u);
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, UINT64_MAX, uint64_t{0x299f31d0a4093822}}) {
    for (const uint64_t counter : {uint64_t{0}, uint64_t{1}, uint64_t{0xffffffff}, uint64_t{1} << 32, uint64_t{0x85a308d3243f6a88}, UINT64_MAX}) {
      const Words expected = block(seed, counter);
      EXPECT_EQ(Generator(seed, counter).next(), expected[0] | uint64_t{expected[1]} << 32);
    }
  }
}

TEST(Random, TensorsTakeBlocksInOrder) {
  Generator generator(42, 5);
  const std::vector<float> f = rand({10}, f32, generator).to_vector<float>();
  EXPECT_EQ(generator.counter(), 8u);  // three blocks of four
  const std::vector<double> d = rand({5}, f64, generator).to_vector<double>();
  EXPECT_EQ(generator.counter(), 11u);  // three blocks of two
  for (size_t i = 0; i < f.size(); ++i) EXPECT_EQ(f[i], static_cast<float>(block(42, 5 + i / 4)[i % 4] >> 8) / 16777216);
  for (size_t i = 0; i < d.size(); ++i) {
    const Words words = block(42, 8 + i / 2);
    const uint64_t bits = words[i % 2 * 2] | uint64_t{words[i % 2 * 2 + 1]} << 32;
    EXPECT_EQ(d[i], static_cast<double>(bits >> 11) / 9007199254740992);
  }
}

TEST(Random, GoesOnFromSeedAndCounter) {
  Generator first(9);
  rand({1001}, f32, first);
  first.below(77);
  Generator second(first.seed(), first.counter());
  EXPECT_TRUE(same_bits(randn({100}, f64, first), randn({100}, f64, second)));
  EXPECT_EQ(first.next(), second.next());
  EXPECT_EQ(first.counter(), second.counter());
  const uint64_t start = first.reserve(10);
  EXPECT_EQ(first.counter(), start + 10);
}

TEST(Random, DoesNotDependOnTheThreads) {
  for (const DType dtype : {f32, f64}) {
    expect_independent_of_threads([=] {
      Generator g(3);
      return rand({100'003}, dtype, g);
    });
    expect_independent_of_threads([=] {
      Generator g(3);
      return randn({100'003}, dtype, g);
    });
    expect_independent_of_threads([=] {
      Generator g(3);
      return bernoulli({100'003}, 0.3, dtype, g);
    });
  }
}

TEST(Random, DefaultGeneratorStartsAnew) {
  manual_seed(5);
  const Tensor a = rand({7});
  EXPECT_FALSE(same_bits(rand({7}), a));
  manual_seed(5);
  EXPECT_TRUE(same_bits(rand({7}), a));
  manual_seed(6);
  EXPECT_FALSE(same_bits(rand({7}), a));
  manual_seed(0);
}

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
  explicit Moments(const std::vector<double>& x) {
    const auto n = static_cast<double>(x.size());
    mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    for (const double v : x) {
      const double z = (v - mean) / std::sqrt(variance);
      skewness += z * z * z / n;
      kurtosis += z * z * z * z / n;
    }
  }
};

constexpr int64_t many = 400'000;

// Tolerances are five standard errors and more.
TEST(Random, Moments) {
  for (const DType dtype : {f32, f64}) {
    Generator generator(11);
    const Moments u(uniform({many}, -2, 4, dtype, generator).to_vector<double>()), n(randn({many}, dtype, generator).to_vector<double>());
    EXPECT_NEAR(u.mean, 1, 0.014);
    EXPECT_NEAR(u.variance, 3, 0.022);
    EXPECT_NEAR(u.skewness, 0, 0.02);
    EXPECT_NEAR(u.kurtosis, 1.8, 0.02);
    EXPECT_NEAR(n.mean, 0, 0.008);
    EXPECT_NEAR(n.variance, 1, 0.0115);
    EXPECT_NEAR(n.skewness, 0, 0.02);
    EXPECT_NEAR(n.kurtosis, 3, 0.04);
    const Moments b(bernoulli({many}, 0.2, dtype, generator).to_vector<double>());
    EXPECT_NEAR(b.mean, 0.2, 0.0035);
  }
}

double chi_square(const std::vector<int64_t>& counts, double expected) {
  double sum = 0;
  for (const int64_t count : counts) sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  return sum;
}

// With 99 degrees of freedom: mean 99, standard deviation 14.
TEST(Random, ChiSquare) {
  for (const DType dtype : {f32, f64}) {
    Generator generator(12);
    std::vector<int64_t> counts(100), normal_counts(100);
    for (const double v : rand({many}, dtype, generator).to_vector<double>()) ++counts[static_cast<size_t>(v * 100)];
    for (const double v : randn({many}, dtype, generator).to_vector<double>())
      ++normal_counts[std::min<size_t>(99, static_cast<size_t>(50 * std::erfc(-v / std::sqrt(2.0))))];
    for (const auto& c : {counts, normal_counts}) {
      EXPECT_LT(chi_square(c, many / 100.0), 99 + 5 * 14);
      EXPECT_GT(chi_square(c, many / 100.0), 99 - 5 * 14);
    }
  }
}

TEST(Random, NeighboursAreIndependent) {
  Generator generator(13);
  for (const auto& x : {randn({many}, f32, generator).to_vector<double>(), randn({many}, f64, generator).to_vector<double>()}) {
    for (size_t lag = 1; lag <= 4; ++lag) {
      double product = 0;
      for (size_t i = 0; i + lag < x.size(); ++i) product += x[i] * x[i + lag] / many;
      EXPECT_NEAR(product, 0, 0.008) << lag;
    }
  }
}

TEST(Random, UniformStaysBelowItsEnd) {
  Generator generator(14);
  for (const DType dtype : {f32, f64}) {
    const auto [low, high] = std::pair{1e8, 1e8 + 16};  // two steps of a float apart: rounding reaches the end
    for (const double v : uniform({10'000}, low, high, dtype, generator).to_vector<double>()) ASSERT_TRUE(v >= low && v < high) << v;
    for (const double v : uniform({100}, 3, 3, dtype, generator).to_vector<double>()) ASSERT_EQ(v, 3);
    for (const double v : rand({100'000}, dtype, generator).to_vector<double>()) ASSERT_TRUE(v >= 0 && v < 1);
    for (const double v : randn({100'000}, dtype, generator).to_vector<double>()) ASSERT_TRUE(std::isfinite(v));
  }
}

TEST(Random, BelowIsUnbiased) {
  Generator generator(15);
  for (const int64_t n : {1, 2, 3, 7, 100, 1000}) {
    std::vector<int64_t> counts(static_cast<size_t>(n));
    for (int i = 0; i < 100'000; ++i) {
      const int64_t k = generator.below(n);
      ASSERT_TRUE(k >= 0 && k < n);
      ++counts[static_cast<size_t>(k)];
    }
    const double freedom = static_cast<double>(n - 1);
    EXPECT_LE(chi_square(counts, 1e5 / static_cast<double>(n)), freedom + 5 * std::sqrt(2 * freedom) + 5) << n;
  }
  // Of 3 * 2^61 numbers, plain scaling would hit some twice as often: thirds of the range stay equal.
  const int64_t large = 3 * (int64_t{1} << 61);
  std::vector<int64_t> thirds(3), thirds_of_three(3);
  for (int i = 0; i < 90'000; ++i) {
    const int64_t k = generator.below(large);
    ASSERT_TRUE(k >= 0 && k < large);
    ++thirds[static_cast<size_t>(k / (large / 3))];
    ++thirds_of_three[static_cast<size_t>(k % 3)];
  }
  EXPECT_LT(chi_square(thirds, 30'000), 2 + 20);
  EXPECT_LT(chi_square(thirds_of_three, 30'000), 2 + 20);
  EXPECT_LT(generator.below(INT64_MAX), INT64_MAX);
  EXPECT_FAILS(generator.below(0), "below", "got 0");
  EXPECT_FAILS(generator.below(-5), "below", "got -5");
}

TEST(Random, RandintCoversItsRange) {
  Generator generator(16);
  const std::vector<int64_t> x = randint(-2, 3, {1000}, generator).to_vector<int64_t>();
  EXPECT_EQ(std::set<int64_t>(x.begin(), x.end()), (std::set<int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_FAILS(randint(3, 3, {1}, generator), "randint", "3 and 3");
  // The widest ranges: more numbers than a signed integer counts.
  bool negative = false, positive = false;
  for (const int64_t v : randint(INT64_MIN, INT64_MAX, {100}, generator).to_vector<int64_t>()) {
    negative |= v < 0;
    positive |= v > 0;
  }
  EXPECT_TRUE(negative && positive);
}

TEST(Random, RandpermIsAPermutation) {
  Generator generator(17);
  for (const int64_t n : {0, 1, 2, 10, 1000}) {
    std::vector<int64_t> p = randperm(n, generator).to_vector<int64_t>(), expected(static_cast<size_t>(n));
    std::iota(expected.begin(), expected.end(), int64_t{0});
    EXPECT_TRUE(n < 1000 || p != expected);
    std::sort(p.begin(), p.end());
    EXPECT_EQ(p, expected);
  }
  // All orders of three are as likely.
  std::vector<int64_t> counts(6);
  for (int i = 0; i < 60'000; ++i) {
    const std::vector<int64_t> p = randperm(3, generator).to_vector<int64_t>();
    ++counts[static_cast<size_t>(p[0] * 2 + (p[1] > p[2]))];
  }
  EXPECT_LT(chi_square(counts, 10'000), 5 + 5 * 3.2);
  EXPECT_FAILS(randperm(-1, generator), "randperm", "-1");
}

TEST(Random, BadArgumentsAreErrors) {
  EXPECT_FAILS(uniform({2}, 1, 0), "uniform", "1 and 0");
  EXPECT_FAILS(uniform({2}, NAN, 1), "uniform");
  EXPECT_FAILS(uniform({2}, -INFINITY, INFINITY), "uniform");
  EXPECT_FAILS(bernoulli({2}, 1.5), "bernoulli", "1.5");
  EXPECT_FAILS(bernoulli({2}, NAN), "bernoulli");
  EXPECT_FAILS(randn({2}, i64), "randn", "i64");
  EXPECT_FAILS(rand({-1}), "negative");
  EXPECT_EQ(rand({0, 3}).numel(), 0);
}

}  // namespace
}  // namespace scry
