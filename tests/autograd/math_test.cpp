// Values at and beyond the edges, where formulas usually break.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace scry {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan_value = std::numeric_limits<double>::quiet_NaN();

// Numbers of every size and sign, subnormal ones too, and those that aren't numbers.
template <class T>
std::vector<T> wide_numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> out;
  for (const T x : {T{0}, T{0.5}, T{1}, T{2}, T{88.5}, T{87.7}, T{103.9}, T{127.6}, T{709.5}, T{708.4}, T{745}, Limits::denorm_min(), Limits::min(),
                    Limits::max(), Limits::epsilon(), Limits::infinity(), Limits::quiet_NaN()})
    out.insert(out.end(), {x, -x});
  std::mt19937_64 random(1);
  const auto uniform_in = [&](double low, double high) { return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53; };
  for (int i = 0; i < 20000; ++i) {
    const T size =
        std::ldexp(static_cast<T>(uniform_in(0.5, 1)), static_cast<int>(uniform_in(Limits::min_exponent - Limits::digits, Limits::max_exponent)));
    out.insert(out.end(),
               {size, -size, static_cast<T>(uniform_in(-2, 2)), static_cast<T>(uniform_in(-20, 20)), static_cast<T>(uniform_in(-800, 800))});
  }
  return out;
}

// The distance from the true value in units of its last place; far where one is infinite or NaN and the other isn't.
template <class T>
double distance(T got, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) == std::isnan(rounded) ? 0 : inf;
  if (got == rounded) return std::signbit(got) == std::signbit(rounded) ? 0 : inf;
  if (std::isinf(got) || std::isinf(rounded)) return inf;
  const T size = std::abs(rounded);
  return static_cast<double>(std::abs(got - exact) / (std::nextafter(size, std::numeric_limits<T>::infinity()) - size));
}

struct Function {
  const char* name;
  Tensor (*op)(const Tensor&);
  long double (*exact)(long double);
};

long double exact_softplus(long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

const Function functions_in_use[] = {
    {"exp", exp, std::exp},
    {"exp2", exp2, std::exp2},
    {"expm1", expm1, std::expm1},
    {"log", log, std::log},
    {"log1p", log1p, std::log1p},
    {"log2", log2, std::log2},
    {"sqrt", sqrt, std::sqrt},
    {"rsqrt", rsqrt, [](long double x) { return 1 / std::sqrt(x); }},
    {"erf", erf, std::erf},
    {"erfc", erfc, std::erfc},
    {"sin", sin, std::sin},
    {"cos", cos, std::cos},
    {"tan", tan, std::tan},
    {"asin", asin, std::asin},
    {"acos", acos, std::acos},
    {"atan", atan, std::atan},
    {"sinh", sinh, std::sinh},
    {"cosh", cosh, std::cosh},
    {"tanh", tanh, std::tanh},
    {"asinh", asinh, std::asinh},
    {"acosh", acosh, std::acosh},
    {"atanh", atanh, std::atanh},
    {"sigmoid", sigmoid, [](long double x) { return 1 / (1 + std::exp(-x)); }},
    {"floor", floor, std::floor},
    {"ceil", ceil, std::ceil},
    {"round", round, std::nearbyint},
    {"trunc", trunc, std::trunc},
    {"logsigmoid", logsigmoid, [](long double x) { return -exact_softplus(-x); }},
    {"cube", [](const Tensor& x) { return pow(x, 3); }, [](long double x) { return x * x * x; }},
    {"root", [](const Tensor& x) { return pow(x, 0.5); }, [](long double x) { return std::pow(x, 0.5L); }},
    {"softplus", [](const Tensor& x) { return softplus(x, 1, 1000); }, exact_softplus},
};

template <class T>
void expect_accurate() {
  const std::vector<T> numbers = wide_numbers<T>();
  const Tensor x = Tensor::of(numbers, {static_cast<int64_t>(numbers.size())});
  for (const Function& f : functions_in_use) {
    const std::vector<T> y = f.op(x).template to_vector<T>();
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < y.size(); ++i)
      if (const double here = distance(y[i], f.exact(numbers[i])); here > worst) worst = here, at = i;
    EXPECT_LE(worst, 4) << f.name << " of " << numbers[at] << " is " << f.exact(numbers[at]) << ", not " << y[at];
  }
}

TEST(Math, F32IsAccurateEverywhere) { expect_accurate<float>(); }
TEST(Math, F64IsAccurateEverywhere) { expect_accurate<double>(); }

std::vector<double> values_of(const Tensor& x) { return x.to_vector<double>(); }
Tensor row_of(const std::vector<double>& numbers) { return Tensor::of(numbers, {static_cast<int64_t>(numbers.size())}); }

// The derivatives of the sum of f(x).
template <class F>
std::vector<double> slopes(const std::vector<double>& numbers, const F& f) {
  const Tensor x = row_of(numbers).requires_grad_();
  sum(f(x)).backward();
  return values_of(x.grad());
}

using ::testing::ElementsAre;
using ::testing::NanSensitiveDoubleEq;

TEST(Pow, GradientsAtZero) {
  const std::vector<double> x{0, 2};
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, 0); }), ElementsAre(0, 0));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, 1); }), ElementsAre(1, 1));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, 2); }), ElementsAre(0, 4));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, row_of({0, 0})); }), ElementsAre(0, 0));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, row_of({1, 1})); }), ElementsAre(1, 1));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(v, row_of({2, 2})); }), ElementsAre(0, 4));
  EXPECT_THAT(slopes(x, [](const Tensor& v) { return pow(0, v); }), ElementsAre(0, 0));
}

TEST(Pow, SecondDerivativesAtZero) {
  for (const double exponent : {0.0, 1.0, 2.0}) {
    const Tensor x = row_of({0}).requires_grad_();
    const Tensor first = grad(sum(pow(x, row_of({exponent}))), x, {.create_graph = true});
    EXPECT_EQ(grad(sum(first), x).item(), exponent == 2 ? 2 : 0);
    const Tensor by_number = grad(sum(pow(x, exponent)), x, {.create_graph = true});
    if (by_number.requires_grad()) {
      EXPECT_EQ(grad(sum(by_number), x).item(), exponent == 2 ? 2 : 0);
    }
  }
}

TEST(Pow, OfIntegers) {
  EXPECT_THAT(values_of(pow(Tensor::of<int64_t>({-2, 3, 1, -1, 0}, {5}), Tensor::of<int64_t>({3, 4, -5, -3, 0}, {5}))),
              ElementsAre(-8, 81, 1, -1, 1));
  EXPECT_EQ(pow(Tensor::of<int64_t>({2}, {1}), 0.5).dtype(), f32);
}

TEST(Extremes, ShareTheGradientWhereTheyAreEqual) {
  EXPECT_THAT(slopes({1, 2, 3}, [](const Tensor& v) { return maximum(v, row_of({2, 2, 2})); }), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(slopes({1, 2, 3}, [](const Tensor& v) { return minimum(v, 2); }), ElementsAre(1, 0.5, 0));
  EXPECT_THAT(slopes({-1, 0, 1, 2, 3}, [](const Tensor& v) { return clamp(v, 0, 2); }), ElementsAre(0, 1, 1, 1, 0));
}

TEST(Extremes, NanWins) {
  for (const DType dtype : {f32, f64}) {
    const Tensor a = cast(row_of({nan_value, 1, nan_value}), dtype), b = cast(row_of({1, nan_value, nan_value}), dtype);
    for (const Tensor& y : {minimum(a, b), maximum(a, b), relu(minimum(a, b)), clamp(maximum(a, b), 0, 1)}) EXPECT_EQ(sum(isnan(y)).item(), 3);
  }
}

TEST(Compare, NumbersThatDontFitTheType) {
  const Tensor x = Tensor::of<int64_t>({-1, 0, 5}, {3});
  EXPECT_THAT(values_of(lt(x, 1e300)), ElementsAre(1, 1, 1));
  EXPECT_THAT(values_of(gt(x, -0.5)), ElementsAre(0, 1, 1));
  EXPECT_THAT(values_of(eq(x, nan_value)), ElementsAre(0, 0, 0));
  EXPECT_THAT(values_of(ne(row_of({nan_value, 1}), row_of({nan_value, 1}))), ElementsAre(1, 0));
  EXPECT_EQ(eq(x, 5).dtype(), boolean);
  EXPECT_THAT(values_of(lt(Tensor::of<uint8_t>({3, 200}, {2}), Tensor::of<float>({3.5, 3.5}, {2}))), ElementsAre(1, 0));
}

TEST(Classify, EveryKind) {
  const Tensor x = row_of({1, inf, -inf, nan_value});
  EXPECT_THAT(values_of(isnan(x)), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(values_of(isinf(x)), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(values_of(isfinite(x)), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(values_of(isfinite(Tensor::of<int64_t>({7}, {1}))), ElementsAre(1));
}

TEST(Where, TypesAndErrors) {
  const Tensor c = gt(row_of({-1, 1}), 0);
  EXPECT_EQ(where(c, Tensor::of<int64_t>({1, 2}, {2}), row_of({3, 4})).dtype(), f64);
  EXPECT_EQ(where(c, Tensor::of<int64_t>({1, 2}, {2}), 0.5).dtype(), f32);
  EXPECT_THROW(where(row_of({1, 0}), c, c), Error);
  EXPECT_THROW(where(c, row_of({1, 2, 3}), 0), Error);
  EXPECT_THAT(slopes({0, 4}, [&](const Tensor& v) { return where(gt(v, 0), sqrt(where(gt(v, 0), v, 1)), v * 0); }), ElementsAre(0, 0.25));
}

TEST(Rest, IntegersAndSigns) {
  const Tensor a = Tensor::of<int64_t>({7, -7, 7, -7, std::numeric_limits<int64_t>::min()}, {5});
  const Tensor b = Tensor::of<int64_t>({3, 3, -3, -3, -1}, {5});
  EXPECT_THAT(values_of(fmod(a, b)), ElementsAre(1, -1, 1, -1, 0));
  EXPECT_THAT(values_of(remainder(a, b)), ElementsAre(1, 2, -2, -1, 0));
  EXPECT_THROW(fmod(a, b * 0), Error);
  EXPECT_THROW(remainder(a, zeros({}, u8)), Error);
  EXPECT_THAT(values_of(fmod(row_of({1, inf}), row_of({inf, 1}))), ElementsAre(1, NanSensitiveDoubleEq(nan_value)));
  const Tensor zeros_by_sign = remainder(row_of({6, -6, 0, -0.0}), row_of({-3, 3, -2, 2}));  // nothing is left over, with the divisor's sign
  EXPECT_THAT(values_of(1 / zeros_by_sign), ElementsAre(-inf, inf, -inf, inf));
}

TEST(Activations, FarOut) {
  for (const DType dtype : {f32, f64}) {
    const Tensor x = cast(row_of({-1e4, -200, 0, 200, 1e4}), dtype).requires_grad_();
    for (const auto f :
         {+[](const Tensor& v) { return elu(v); }, +[](const Tensor& v) { return selu(v); }, +[](const Tensor& v) { return celu(v, 0.1); },
          +[](const Tensor& v) { return gelu(v); }, +[](const Tensor& v) { return gelu(v, Gelu::tanh); }, +[](const Tensor& v) { return silu(v); },
          +[](const Tensor& v) { return mish(v); }, +[](const Tensor& v) { return softplus(v); }, +[](const Tensor& v) { return softsign(v); },
          +[](const Tensor& v) { return logsigmoid(v); }, +[](const Tensor& v) { return tanhshrink(v); }}) {
      const Tensor y = f(x), g = grad(sum(y), x, {.create_graph = true});
      EXPECT_EQ(sum(isfinite(y)).item(), 5);
      EXPECT_EQ(sum(isfinite(g)).item(), 5);
      EXPECT_EQ(sum(isfinite(grad(sum(g), x))).item(), 5);
    }
  }
}

TEST(Activations, IntegersStayWhereTheyAre) {
  const Tensor x = Tensor::of<int64_t>({-3, 0, 4}, {3});
  EXPECT_THAT(values_of(abs(x)), ElementsAre(3, 0, 4));
  EXPECT_THAT(values_of(sign(x)), ElementsAre(-1, 0, 1));
  EXPECT_THAT(values_of(square(x)), ElementsAre(9, 0, 16));
  EXPECT_EQ(floor(x).dtype(), i64);
  EXPECT_THAT(values_of(clamp(x, -1e300, 1)), ElementsAre(-3, 0, 1));
  EXPECT_THROW(clamp(x, std::nullopt), Error);
  EXPECT_THROW(gelu(x), Error);
}

}  // namespace
}  // namespace scry
