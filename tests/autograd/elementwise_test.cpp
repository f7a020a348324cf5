#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/random.hpp>
#include <cmath>
#include <limits>

#include "support.hpp"

namespace scry::kernels {
namespace {

using namespace scry::test;

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor values(const Shape& shape, DType dtype = f32, uint64_t seed = 1) {
  Generator generator(seed);
  return cast(uniform(shape, -4, 4, f64, generator), dtype);
}

Tensor view(const Tensor& x, int64_t offset, const Shape& shape, const Shape& strides) {
  return Tensor::view(x.node().storage, offset, shape, strides, x.dtype());
}

using Unary = Tensor (*)(const Tensor&);
struct Function {
  const char* name;
  Unary run;
  double (*reference)(double);
};
const Function functions[] = {
    {"neg", neg, [](double x) { return -x; }},
    {"exp", exp, [](double x) { return std::exp(x); }},
    {"log", log, [](double x) { return std::log(x); }},
    {"sqrt", sqrt, [](double x) { return std::sqrt(x); }},
    {"tanh", tanh, [](double x) { return std::tanh(x); }},
    {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"relu", [](const Tensor& x) { return relu(x); }, [](double x) { return x > 0 || std::isnan(x) ? x : 0; }},
};

TEST(Elementwise, ChannelsLastStays) {
  const Tensor x = channels_last(values({2, 3, 4, 5})), bias = values({3, 1, 1});
  ASSERT_EQ(x.strides(), (Shape{60, 1, 15, 3}));
  EXPECT_EQ(relu(x).strides(), x.strides());
  EXPECT_EQ(add(x, 1.5).strides(), x.strides());
  EXPECT_EQ(add(x, bias).strides(), x.strides());
  EXPECT_EQ(sub(bias, x).strides(), x.strides());
  EXPECT_EQ(clone(x).strides(), x.strides());
  EXPECT_EQ(cast(x, f64).strides(), x.strides());
  EXPECT_EQ(mul(x, values({2, 3, 4, 5})).strides(), x.strides());  // the first that has the whole shape
  EXPECT_TRUE(mul(values({2, 3, 4, 5}), x).is_contiguous());
  EXPECT_TRUE(same_bits(relu(x), relu(contiguous(x))));
  EXPECT_TRUE(same_bits(sub(bias, x), sub(bias, contiguous(x))));
}

TEST(Elementwise, AnyDenseOrderStaysAndGapsGo) {
  const Tensor x = values({4, 3, 5});
  const Tensor turned = view(x, 0, {5, 4, 3}, {1, 15, 5});
  EXPECT_EQ(exp(turned).strides(), turned.strides());
  const Tensor gaps = view(x, 0, {4, 3, 2}, {15, 5, 2}), repeated = view(x, 0, {4, 3, 5}, {0, 5, 1}), backwards = view(x, 59, {60}, {-1});
  for (const Tensor& t : {gaps, repeated, backwards}) {
    EXPECT_TRUE(exp(t).is_contiguous());
    EXPECT_TRUE(same_bits(exp(t), exp(contiguous(t))));
  }
}

// Every pair of shapes that broadcast, each operand in several layouts, against a loop.
TEST(Elementwise, BroadcastsInAnyLayout) {
  const std::pair<Shape, Shape> pairs[] = {
      {{2, 3, 4}, {2, 3, 4}},         {{2, 3, 4}, {4}}, {{2, 3, 4}, {3, 1}}, {{2, 1, 4}, {3, 1}}, {{}, {2, 3}},     {{1}, {5, 1, 2}},
      {{2, 3, 4}, {1, 1, 1}},         {{700, 3}, {3}},  {{3}, {700, 3}},     {{3, 700}, {3, 1}},  {{0, 3}, {1, 3}}, {{40, 1, 30}, {50, 1}},
      {{2, 1, 3, 1, 2}, {4, 1, 5, 1}}};
  const auto layouts = [](const Tensor& x) {
    std::vector<Tensor> out{x};
    if (x.rank() == 0) return out;
    Shape wide = x.shape(), gaps = x.shape(), backwards = x.strides();
    for (int i = 0; i < x.rank(); ++i) wide[i] = 2 * x.shape()[i] + 1;
    const Tensor room = full(wide, 99, x.dtype());
    for (int i = 0; i < x.rank(); ++i) gaps[i] = 2 * room.strides()[i];
    out.push_back(view(room, 0, x.shape(), gaps));
    copy_into(out.back(), x);
    if (x.numel() == 0) return out;
    for (int i = 0; i < x.rank(); ++i) backwards[i] = -x.strides()[i];
    out.push_back(view(clone(x), x.numel() - 1, x.shape(), backwards));
    copy_into(out.back(), x);
    return out;
  };
  for (const auto& [first, second] : pairs) {
    for (const Tensor& a : layouts(values(first, f64, 1))) {
      for (const Tensor& b : layouts(values(second, f64, 2))) {
        SCOPED_TRACE(text(first, a.strides(), " and ", second, b.strides()));
        const Tensor y = sub(a, b);
        ASSERT_EQ(y.shape(), broadcast_shapes("", first, second));
        each_index(y.shape(), [&](auto index) { ASSERT_EQ(element<double>(y, index), element<double>(a, index) - element<double>(b, index)); });
      }
    }
  }
}

TEST(Elementwise, ShapesThatDoNotBroadcastAreAnError) {
  EXPECT_FAILS(add(zeros({2, 3}), zeros({4})), "add", "[2, 3]", "[4]");
  EXPECT_FAILS(copy_into(zeros({3}), zeros({2, 3})), "copy", "[2, 3]", "[3]");
  const Tensor x = zeros({3});
  EXPECT_ANY_THROW(copy_into(x, ones({2})));
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{0, 0, 0}));
}

TEST(Elementwise, NumbersTakeTheTensorsType) {
  const Tensor whole = Tensor::of(std::vector<int64_t>{-7, 0, 9}, {3});
  EXPECT_EQ(add(whole, 2).to_vector<int64_t>(), (std::vector<int64_t>{-5, 2, 11}));
  EXPECT_EQ(sub(2, whole).to_vector<int64_t>(), (std::vector<int64_t>{9, 2, -7}));
  EXPECT_EQ(mul(whole, -3).to_vector<int64_t>(), (std::vector<int64_t>{21, 0, -27}));
  EXPECT_EQ(add(scalar(0.1, f64), 0.2).item(), 0.1 + 0.2);
  EXPECT_EQ(add(scalar(0.1, f32), 0.2).item<float>(), 0.1f + 0.2f);
  EXPECT_EQ(div(1, scalar(3, f64)).item(), 1.0 / 3);
  EXPECT_EQ(div(scalar(1, f64), 3).item(), 1.0 / 3);
  EXPECT_EQ(add(full({1}, 5, u8), 250).item(), 255);
  EXPECT_FAILS(div(whole, 2), "div", "i64");
}

// Both would be undefined in plain C++.
TEST(Elementwise, IntegersWrapAround) {
  const Tensor most = Tensor::of(std::vector<int64_t>{INT64_MAX}, {1}), least = Tensor::of(std::vector<int64_t>{INT64_MIN}, {1});
  EXPECT_TRUE(same_bits(add(most, 1), least));
  EXPECT_TRUE(same_bits(sub(least, most), ones({1}, i64)));
  EXPECT_TRUE(same_bits(mul(most, most), ones({1}, i64)));
  EXPECT_TRUE(same_bits(neg(least), least));
  const Tensor byte = full({1}, 5, u8);
  EXPECT_EQ(add(byte, -6).item(), 255);
  EXPECT_EQ(mul(byte, -1).item(), 251);
  EXPECT_EQ(sub(byte, full({1}, 6, u8)).item(), 255);
}

TEST(Elementwise, NumbersOutOfRangeSaturate) {
  EXPECT_EQ(add(zeros({1}, i64), 1e30).item<int64_t>(), INT64_MAX);
  EXPECT_EQ(add(zeros({1}, i64), -1e30).item<int64_t>(), INT64_MIN);
  EXPECT_EQ(add(zeros({1}, i64), NAN).item<int64_t>(), 0);
}

TEST(Elementwise, AddIntoBroadcastsAndKeepsTheLayout) {
  const Tensor x = channels_last(values({2, 3, 2, 2}, f64)), before = clone(x), b = values({3, 1, 1}, f64, 2);
  add_into(x, b);
  EXPECT_TRUE(same_bits(x, add(before, b)));
  add_into(x, x);
  EXPECT_TRUE(same_bits(x, mul(add(before, b), 2)));
}

TEST(Elementwise, SpecialValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const DType dtype : {f32, f64}) {
    const double least = dtype == f32 ? std::numeric_limits<float>::denorm_min() : std::numeric_limits<double>::denorm_min();
    const double most = dtype == f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    const std::vector<double> x{nan, infinity, -infinity, 0.0, -0.0, -1, least, -least, most, -most, 1};
    for (const Function& f : functions) {
      // In every lane of a register, and alone.
      for (size_t lead : {0, 1, 5, 15, 16}) {
        std::vector<double> padded(lead, 0.5);
        padded.insert(padded.end(), x.begin(), x.end());
        const std::vector<double> y = f.run(cast(Tensor::of(padded, {static_cast<int64_t>(padded.size())}), dtype)).to_vector<double>();
        for (size_t i = 0; i < x.size(); ++i) {
          const double expected = f.reference(x[i]), got = y[lead + i];
          if (std::isnan(expected) || std::isinf(expected) || (std::abs(expected) > most))
            EXPECT_TRUE(std::isnan(expected) ? std::isnan(got) : std::isinf(got) && (got > 0) == (expected > 0))
                << f.name << "(" << x[i] << ") = " << got;
          else
            EXPECT_LE(std::abs(got - expected), 1e-6 * std::abs(expected) + least) << f.name << "(" << x[i] << ") = " << got;
        }
      }
    }
    const Tensor minus_zero = full({20}, -0.0, dtype);
    for (const double zero : sqrt(minus_zero).to_vector<double>()) EXPECT_TRUE(zero == 0 && std::signbit(zero));
    for (const double zero : neg(minus_zero).to_vector<double>()) EXPECT_TRUE(zero == 0 && !std::signbit(zero));
  }
}

// Units in the last place, over all magnitudes that a function takes.
TEST(Elementwise, FunctionsAreExactToAFewUnits) {
  for (const DType dtype : {f32, f64}) {
    const double epsilon = dtype == f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
    const double least = dtype == f32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
    Generator generator(3);
    const std::vector<double> exponents = uniform({20'000}, -30, 6, f64, generator).to_vector<double>();
    std::vector<double> x;
    for (size_t i = 0; i < exponents.size(); ++i) x.push_back((i % 2 ? 1 : -1) * std::exp2(exponents[i]));
    const Tensor input = cast(Tensor::of(x, {static_cast<int64_t>(x.size())}), dtype);
    for (const Function& f : functions) {
      const std::vector<double> at = input.to_vector<double>(), y = f.run(input).to_vector<double>();
      for (size_t i = 0; i < at.size(); ++i) {
        const double expected = f.reference(at[i]);
        if (std::isnan(expected)) {
          ASSERT_TRUE(std::isnan(y[i]));
        } else {
          ASSERT_LE(std::abs(y[i] - expected), 4 * epsilon * std::abs(expected) + least)
              << f.name << "(" << at[i] << ") is " << y[i] << " in " << name_of(dtype);
        }
      }
    }
  }
}

TEST(Elementwise, ExpReachesTheEndsOfItsRange) {
  for (const double x : {-103.0, -100.0, -90.0, -87.5, 87.5, 88.3, 88.5, 88.7}) {
    const float y = exp(scalar(x)).item<float>();
    EXPECT_LE(std::abs(y - std::exp(static_cast<float>(x))), 4e-7f * y + std::numeric_limits<float>::denorm_min()) << x;
  }
  for (const double x : {-740.0, -720.0, -708.5, 708.5, 709.0, 709.7}) {
    const double y = exp(scalar(x, f64)).item();
    EXPECT_LE(std::abs(y - std::exp(x)), 1e-15 * y + std::numeric_limits<double>::denorm_min()) << x;
  }
  EXPECT_EQ(exp(scalar(89)).item(), infinity);
  EXPECT_EQ(exp(scalar(-105)).item(), 0);
}

TEST(Elementwise, AnElementsValueDoesNotDependOnItsPlace) {
  for (const DType dtype : {f32, f64}) {
    const Tensor x = values({200}, dtype), other = values({200}, dtype, 2);
    for (const Function& f : functions) {
      const Tensor whole = f.run(x);
      for (int64_t start = 0; start < 40; ++start)
        for (const int64_t n : {1, 2, 7, 15, 17, 33, 160})
          ASSERT_TRUE(same_bits(f.run(view(x, start, {n}, {1})), view(whole, start, {n}, {1})))
              << f.name << " from " << start << ", " << n << " elements";
      ASSERT_TRUE(same_bits(f.run(view(x, 0, {50}, {4})), view(whole, 0, {50}, {4}))) << f.name;
    }
    const Tensor quotient = div(x, other);
    for (int64_t start = 0; start < 40; ++start)
      ASSERT_TRUE(same_bits(div(view(x, start, {21}, {1}), view(other, start, {21}, {1})), view(quotient, start, {21}, {1})));
  }
}

TEST(Elementwise, SameBitsOnAnyNumberOfThreads) {
  const Tensor x = values({1'000'003}), row = values({1000}), matrix = values({700, 1000}), image = channels_last(values({4, 7, 90, 90}));
  for (const Function& f : functions) expect_independent_of_threads([&] { return f.run(x); });
  expect_independent_of_threads([&] { return add(matrix, row); });
  expect_independent_of_threads([&] { return mul(view(matrix, 0, {1000, 700}, {1, 1000}), 3); });
  expect_independent_of_threads([&] { return contiguous(image); });
  expect_independent_of_threads([&] { return channels_last(contiguous(image)); });
}

}  // namespace
}  // namespace scry::kernels
