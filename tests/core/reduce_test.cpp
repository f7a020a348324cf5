#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/layout.hpp>
#include <scry/core/kernels/reduce.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/random.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "support.hpp"

namespace scry::kernels {
namespace {

using namespace scry::test;

Tensor values(const Shape& shape, DType dtype, double low = -3, double high = 3) {
  Generator generator(7);
  return cast(uniform(shape, low, high, f64, generator), dtype);
}

Tensor view(const Tensor& x, int64_t offset, const Shape& shape, const Shape& strides) {
  return Tensor::view(x.node().storage, offset, shape, strides, x.dtype());
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  const Tensor indices = extremes_along(x, axis, true).indices;
  return keepdim ? view(indices, 0, amax(x, 1u << axis, true).shape(), amax(x, 1u << axis, true).strides()) : indices;
}

// The same tensor in layouts that take other ways through the kernel.
std::vector<Tensor> layouts(const Tensor& x) {
  std::vector<Tensor> out{x};
  const Shape& shape = x.shape();
  if (x.rank() == 4 && x.numel() > 0) out.push_back(channels_last(x));
  Shape turned = Shape::filled(x.rank(), 1), gaps = turned, wide = shape, backwards = x.strides();
  for (int i = 1; i < x.rank(); ++i) turned[i] = turned[i - 1] * std::max<int64_t>(1, shape[i - 1]);
  for (int i = 0; i < x.rank(); ++i) wide[i] = 3 * shape[i];
  const Tensor room = zeros(wide, x.dtype());
  for (int i = 0; i < x.rank(); ++i) gaps[i] = 3 * room.strides()[i];
  out.push_back(Tensor::empty_strided(shape, turned, x.dtype()));
  copy_into(out.back(), x);
  out.push_back(view(room, 0, shape, gaps));
  copy_into(out.back(), x);
  if (x.numel() > 0) {
    for (int i = 0; i < x.rank(); ++i) backwards[i] = -x.strides()[i];
    out.push_back(view(clone(x), x.numel() - 1, shape, backwards));
    copy_into(out.back(), x);
  }
  return out;
}

struct Expected {
  std::vector<long double> terms;
  long double sum = 0, largest = -std::numeric_limits<long double>::infinity();

  long double variance() const {
    const long double mean = sum / static_cast<long double>(terms.size());
    long double squares = 0;
    for (long double term : terms) squares += (term - mean) * (term - mean);
    return squares / static_cast<long double>(terms.size());
  }
  long double log_sum_exp() const {
    long double powers = 0;
    for (long double term : terms) powers += std::exp(term - largest);
    return largest + std::log(powers);
  }
};

// By plain loops, for each index of the kept axes.
std::map<std::vector<int64_t>, Expected> reference(const Tensor& x, uint32_t mask, bool terms = false) {
  std::map<std::vector<int64_t>, Expected> out;
  each_index(x.shape(), [&](std::span<const int64_t> index) {
    std::vector<int64_t> kept(index.begin(), index.end());
    for (size_t axis = 0; axis < kept.size(); ++axis)
      if (mask >> axis & 1) kept[axis] = 0;
    const auto value = dispatch(x.dtype(), [&]<class T>() { return static_cast<long double>(element<T>(x, index)); });
    Expected& here = out[kept];
    if (terms) here.terms.push_back(value);
    here.sum += value;
    here.largest = std::max(here.largest, value);
  });
  return out;
}

void check_all_axes(const Tensor& x) {
  for (uint32_t mask = 0; mask < 1u << x.rank(); ++mask) {
    SCOPED_TRACE(text("shape ", x.shape(), ", strides ", x.strides(), ", ", x.dtype(), ", axes ", mask));
    const Tensor total = sum(x, mask, true), short_total = sum(x, mask, false), largest = x.numel() ? amax(x, mask, true) : Tensor{};
    EXPECT_EQ(total.dtype(), is_floating(x.dtype()) ? x.dtype() : i64);
    Shape kept = x.shape(), dropped;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (mask >> axis & 1)
        kept[axis] = 1;
      else
        dropped.push_back(x.shape()[axis]);
    }
    ASSERT_EQ(total.shape(), kept);
    ASSERT_EQ(short_total.shape(), dropped);
    EXPECT_EQ(total.to_vector<double>(), short_total.to_vector<double>());
    const double terms = static_cast<double>(x.numel()) / static_cast<double>(std::max<int64_t>(1, total.numel()));
    for (const auto& [index, expected] : reference(x, mask)) {
      const auto got = dispatch(total.dtype(), [&]<class T>() { return static_cast<double>(element<T>(total, index)); });
      const double rounding = x.dtype() == f32 ? 6e-8 * std::abs(got) : 0, adding = is_floating(x.dtype()) ? 1e-15 * terms * std::max(1.0, terms) : 0;
      ASSERT_LE(std::abs(got - static_cast<double>(expected.sum)), rounding + adding);
      ASSERT_EQ(dispatch(largest.dtype(), [&]<class T>() { return static_cast<double>(element<T>(largest, index)); }),
                static_cast<double>(expected.largest));
    }
  }
}

TEST(Reduce, EveryCombinationOfAxes) {
  for (const Shape& shape :
       {Shape{}, Shape{1}, Shape{37}, Shape{5, 7}, Shape{3, 1, 4}, Shape{2, 3, 4, 5}, Shape{2, 1, 3, 1, 2}, Shape{3, 300, 2}, Shape{1, 70, 1, 33}})
    for (const Tensor& x : layouts(values(shape, f64))) check_all_axes(x);
}

TEST(Reduce, EveryType) {
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{6, 300}})
    for (const DType dtype : {boolean, u8, i64, f32})
      for (const Tensor& x : layouts(values(shape, dtype, 0, 250))) check_all_axes(x);
}

TEST(Reduce, MomentsAndPowersOfEveryLayout) {
  for (const Shape& shape : {Shape{37}, Shape{5, 7}, Shape{100, 3}, Shape{20, 70}, Shape{17, 70}, Shape{3, 12, 2, 2}})
    for (const DType dtype : {f32, f64})
      for (const Tensor& x : layouts(values(shape, dtype, 90, 110)))
        for (uint32_t mask = 0; mask < 1u << x.rank(); ++mask) {
          const Tensor squares = cast(var(x, mask, 0, true), f64), powers = cast(logsumexp(x, mask, true), f64);
          const double eps = dtype == f32 ? 1e-6 : 1e-14;
          for (const auto& [index, expected] : reference(x, mask, true)) {
            const auto at = text("shape ", shape, ", strides ", x.strides(), ", ", dtype, ", axes ", mask);
            ASSERT_NEAR(element<double>(squares, index), static_cast<double>(expected.variance()), 100 * eps) << at;
            ASSERT_NEAR(element<double>(powers, index), static_cast<double>(expected.log_sum_exp()), 100 * eps) << at;
          }
        }
}

TEST(Reduce, VarianceCancelsNothing) {
  for (const Shape& shape : {Shape{3000, 1}, Shape{3000, 3}, Shape{2, 3000}, Shape{500, 20}}) {
    const int axis = shape[0] > shape[1] ? 0 : 1;
    Tensor x = values(shape, f64, -1, 1);
    for (const Tensor& y : {x, values(shape, f64, 1e7 - 1, 1e7 + 1)}) {
      const Tensor got = var(y, 1u << axis, 1, true);
      for (const auto& [index, expected] : reference(y, 1u << axis, true)) {
        const auto n = static_cast<double>(shape[axis]);
        ASSERT_NEAR(element<double>(got, index) / (static_cast<double>(expected.variance()) * n / (n - 1)), 1, 1e-9) << text(shape);
      }
    }
    // A first element far from all others is no shift to keep.
    x.mutable_data<double>()[0] = 1e9;
    const Tensor got = var(x, 1u << axis, 0, true);
    const std::vector<int64_t> first{0, 0};
    EXPECT_NEAR(element<double>(got, first) / static_cast<double>(reference(x, 1u << axis, true)[first].variance()), 1, 1e-10);
  }
}

TEST(Reduce, LogSumExpOfManyAndOfAnything) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  EXPECT_NEAR(logsumexp(full({10'000'000}, 3), 1, false).item(), 3 + std::log(1e7), 2e-6);
  for (const int64_t n : {2, 33, 1000, 70'000}) {
    Tensor x = arange(0, static_cast<double>(n));  // each block's largest is larger than those before
    EXPECT_NEAR(logsumexp(x, 1, false).item(),
                static_cast<double>(n - 1) + (n == 2 ? std::log1p(std::exp(-1.0)) : std::log(1 / (1 - std::exp(-1.0)))),
                1e-7 * static_cast<double>(n));
    float* data = x.mutable_data<float>();
    for (const int64_t at : {int64_t{0}, n / 2, n - 1}) {
      const float before = std::exchange(data[at], inf);
      EXPECT_EQ(logsumexp(x, 1, false).item(), inf);
      data[at] = nan;
      EXPECT_TRUE(std::isnan(logsumexp(x, 1, false).item()));
      data[at] = -inf;
      EXPECT_TRUE(std::isfinite(logsumexp(x, 1, false).item()));
      data[at] = before;
    }
    EXPECT_EQ(logsumexp(full({n}, -inf), 1, false).item(), -inf);
  }
}

TEST(Reduce, RepeatedElementsCountEachTime) {
  const Tensor x = values({3, 1, 5}, f64);
  const Tensor repeated = view(x, 0, {3, 4, 5}, {5, 0, 1});
  for (uint32_t mask = 0; mask < 8; ++mask) EXPECT_TRUE(same_bits(amax(repeated, mask, true), amax(contiguous(repeated), mask, true)));
  EXPECT_NEAR(sum(repeated, 7, false).item(), 4 * sum(x, 7, false).item(), 1e-13);
  check_all_axes(repeated);
}

TEST(Reduce, LongAxesArePiecedTogether) {
  for (const Shape& shape : {Shape{200'000}, Shape{3, 100'000}, Shape{100'000, 3}, Shape{300, 1000}, Shape{2, 70'000, 2}}) {
    const Tensor x = values(shape, f64);
    for (uint32_t mask = 1; mask < 1u << shape.rank(); ++mask) {
      const Tensor got = sum(x, mask, true);
      for (const auto& [index, expected] : reference(x, mask))
        ASSERT_NEAR(element<double>(got, index), static_cast<double>(expected.sum), 1e-9) << text(shape, " over ", mask);
      expect_independent_of_threads([&] { return sum(x, mask, false); });
      expect_independent_of_threads([&] { return amax(x, mask, false); });
      expect_independent_of_threads([&] { return logsumexp(x, mask, false); });
    }
  }
}

TEST(Reduce, SumsAreAccurateOverManyFloats) {
#ifdef NDEBUG
  constexpr int64_t count = 100'000'000;
#else
  constexpr int64_t count = 10'000'000;
#endif
  Generator generator(1);
  const Tensor x = uniform({count}, 0, 1, f32, generator);
  const float* data = x.data<float>();
  long double expected = 0;
  for (int64_t i = 0; i < count; ++i) expected += static_cast<long double>(data[i]);
  const float got = sum(x, 1, false).item<float>();
  EXPECT_EQ(got, static_cast<float>(expected));
  // A large number that comes and goes costs nothing either.
  Tensor y = full({1'000'001}, 0.1);
  y.mutable_data<float>()[0] = 1e9f;
  y.mutable_data<float>()[500'000] = -1e9f;
  EXPECT_NEAR(sum(y, 1, false).item(), 99999.9 + 999'999 * (static_cast<double>(0.1f) - 0.1), 0.01);
}

TEST(Reduce, NothingSumsToZero) {
  EXPECT_EQ(sum(zeros({0}), 1, false).item(), 0);
  EXPECT_EQ(sum(zeros({3, 0}), 2, false).to_vector<float>(), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(sum(zeros({3, 0}), 1, false).shape(), Shape{0});
  EXPECT_EQ(sum(zeros({3, 0}), 1, true).shape(), (Shape{1, 0}));
  EXPECT_EQ(amax(zeros({0, 3}), 2, false).shape(), Shape{0});
  for (const Tensor& x : layouts(zeros({2, 0, 3, 4}, i64))) check_all_axes(x);
}

TEST(Reduce, NaNAndInfinity) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const int64_t n : {3, 40, 70'000}) {
    for (const int64_t at : {int64_t{0}, n / 2, n - 1}) {
      Tensor x = values({n}, f32);
      x.mutable_data<float>()[at] = nan;
      EXPECT_TRUE(std::isnan(amax(x, 1, false).item()));
      EXPECT_TRUE(std::isnan(sum(x, 1, false).item()));
      EXPECT_EQ(argmax(x, 0, false).item<int64_t>(), at);
      x.mutable_data<float>()[at] = inf;
      EXPECT_EQ(amax(x, 1, false).item(), inf);
      EXPECT_EQ(sum(x, 1, false).item(), inf);
      x.mutable_data<float>()[at == 0 ? 1 : 0] = -inf;
      EXPECT_TRUE(std::isnan(sum(x, 1, false).item()));
    }
  }
  EXPECT_EQ(amax(full({5}, -inf), 1, false).item(), -inf);
  EXPECT_EQ(amax(full({5}, static_cast<double>(INT64_MIN), i64), 1, false).item<int64_t>(), INT64_MIN);
}

TEST(Argmax, TheFirstOfEqualsAndTheFirstNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto at = [](const std::vector<float>& row) { return argmax(Tensor::of(row, {static_cast<int64_t>(row.size())}), 0, false).item<int64_t>(); };
  EXPECT_EQ(at({1, 3, 3, 2}), 1);
  EXPECT_EQ(at({5, 5, 5}), 0);
  EXPECT_EQ(at({1, nan, 9, nan}), 1);
  EXPECT_EQ(at({nan, 9}), 0);
  EXPECT_EQ(at({-0.0f, 0.0f}), 0);
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(at({-inf, -inf}), 0);
  EXPECT_EQ(at({-inf, 0, inf, inf}), 2);
  EXPECT_EQ(at({7}), 0);
}

TEST(Argmax, AlongEveryAxisOfAnyLayout) {
  for (const DType dtype : {boolean, u8, i64, f32, f64}) {
    for (const Tensor& x : layouts(values({3, 4, 2, 5}, dtype, 0, 6))) {
      for (int axis = 0; axis < 4; ++axis) {
        const Tensor got = argmax(x, axis, true);
        ASSERT_EQ(got.dtype(), i64);
        each_index(got.shape(), [&](std::span<const int64_t> index) {
          std::vector<int64_t> where(index.begin(), index.end());
          const auto value = [&](int64_t j) {
            where[static_cast<size_t>(axis)] = j;
            return dispatch(x.dtype(), [&]<class T>() { return static_cast<double>(element<T>(x, where)); });
          };
          int64_t best = 0;
          for (int64_t j = 1; j < x.size(axis); ++j)
            if (value(j) > value(best)) best = j;
          ASSERT_EQ(element<int64_t>(got, index), best) << text(x.strides(), " axis ", axis, " ", dtype);
        });
        EXPECT_EQ(argmax(x, axis, false).to_vector<int64_t>(), got.to_vector<int64_t>());
      }
    }
  }
  EXPECT_EQ(argmax(zeros({0, 3}), 1, false).shape(), Shape{0});
  const Tensor wide = values({300, 1000}, f32);
  for (int axis : {0, 1}) expect_independent_of_threads([&] { return argmax(wide, axis, false); });
}

TEST(SumTo, UndoesBroadcasting) {
  const Tensor x = values({2, 3, 4}, f64);
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 4}, Shape{4}, Shape{}, Shape{1}, Shape{3, 1}, Shape{2, 1, 4}, Shape{1, 1, 1}, Shape{1, 3, 1}}) {
    const Tensor got = sum_to(x, shape), expected = zeros(shape, f64);
    each_index(x.shape(), [&](std::span<const int64_t> index) { element<double>(expected, index) += element<double>(x, index); });
    ASSERT_EQ(got.shape(), shape);
    each_index(shape, [&](std::span<const int64_t> index) { EXPECT_NEAR(element<double>(got, index), element<double>(expected, index), 1e-14); });
  }
}

}  // namespace
}  // namespace scry::kernels
