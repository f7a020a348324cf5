#include <scry/core/blas.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/matmul.hpp>
#include <scry/core/random.hpp>
#include <cmath>

#include "support.hpp"

namespace scry::kernels {
namespace {

using namespace scry::test;

Tensor values(const Shape& shape, DType dtype, uint64_t seed = 1) {
  Generator generator(seed);
  return cast(uniform(shape, -1, 1, f64, generator), dtype);
}

// A matrix of these values laid out in every way that the kernel may meet: the last two axes swapped, with gaps, backwards, repeated.
std::vector<Tensor> layouts(const Tensor& x) {
  const int last = x.rank() - 1;
  std::vector<Tensor> out{x};
  const auto add = [&](Tensor room, int64_t offset, const Shape& strides) {
    out.push_back(Tensor::view(room.node().storage, offset, x.shape(), strides, x.dtype()));
    copy_into(out.back(), x);
  };
  Shape turned = x.strides();
  turned[last - 1] = 1;
  turned[last] = std::max<int64_t>(1, x.size(-2));
  add(Tensor::empty(x.shape(), x.dtype()), 0, turned);
  for (const int64_t along : {1, 2}) {  // rows padded, and elements apart
    Shape wide = x.shape();
    wide[last] = wide[last] * along + 3;
    const Tensor room = full(wide, 99, x.dtype());
    Shape strides = room.strides();
    strides[last] = along;
    add(room, 0, strides);
  }
  Shape padded = x.shape();
  std::swap(padded[last], padded[last - 1]);
  padded[last] += 2;
  const Tensor room = full(padded, 99, x.dtype());
  Shape strides = room.strides();
  std::swap(strides[last], strides[last - 1]);
  add(room, 0, strides);
  if (x.numel() > 0) {
    Shape backwards = x.strides();
    for (int i = 0; i < x.rank(); ++i) backwards[i] = -backwards[i];
    add(Tensor::empty(x.shape(), x.dtype()), x.numel() - 1, backwards);
  }
  return out;
}

void expect_product(const Tensor& y, const Tensor& a, const Tensor& b) {
  const int64_t k = a.size(-1);
  dispatch_floating("", y.dtype(), [&]<class T>() {
    const double tolerance = (static_cast<double>(k) + 2) * static_cast<double>(std::numeric_limits<T>::epsilon());
    each_index(y.shape(), [&](std::span<const int64_t> index) {
      std::vector<int64_t> left(index.begin(), index.end()), right = left;
      const size_t last = index.size() - 1;
      long double sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        left[last] = right[last - 1] = p;
        sum += static_cast<long double>(element<T>(a, left)) * static_cast<long double>(element<T>(b, right));
      }
      ASSERT_NEAR(static_cast<double>(element<T>(y, index)), static_cast<double>(sum), tolerance);
    });
  });
}

TEST(Matmul, EverySizeAndLayout) {
  const int64_t sizes[] = {0, 1, 2, 7, 19};
  for (const DType dtype : {f32, f64}) {
    for (const int64_t m : sizes) {
      for (const int64_t n : sizes) {
        for (const int64_t k : sizes) {
          for (const Tensor& a : layouts(values({m, k}, dtype, 1))) {
            for (const Tensor& b : layouts(values({k, n}, dtype, 2))) {
              SCOPED_TRACE(text(a.shape(), a.strides(), " times ", b.shape(), b.strides(), " ", dtype));
              const Tensor y = matmul(a, b);
              ASSERT_EQ(y.shape(), (Shape{m, n}));
              expect_product(y, a, b);
              if (::testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

// 2048 multiply-adds is where BLAS takes over.
TEST(Matmul, BothSidesOfTheSmallProduct) {
  for (const auto& [m, n, k] :
       {std::tuple{8, 16, 16}, {16, 16, 8}, {1, 2048, 1}, {1, 2049, 1}, {2048, 1, 1}, {1, 1, 2048}, {1, 1, 2049}, {3, 683, 1}, {127, 17, 1}}) {
    for (const DType dtype : {f32, f64}) {
      for (const Tensor& a : layouts(values({m, k}, dtype, 1)))
        for (const Tensor& b : layouts(values({k, n}, dtype, 2))) expect_product(matmul(a, b), a, b);
    }
  }
}

// Both sides of whole registers, tiles and panels, each operand as it lies and transposed; a bias where a product has several panels in depth.
TEST(Matmul, EdgesOfTiles) {
  for (const auto& [m, n, k] : {std::tuple{4, 10, 300},
                                {5, 48, 13},
                                {11, 9, 40},
                                {12, 17, 64},
                                {13, 33, 17},
                                {23, 15, 21},
                                {24, 16, 257},
                                {25, 31, 256},
                                {26, 32, 255},
                                {37, 65, 1},
                                {1, 256, 65},  // one row, or one term, is summed as it lies, in pieces of 256 columns
                                {1, 513, 34},
                                {1, 17, 967},
                                {67, 257, 1}}) {
    const Tensor bias = values({n}, f32, 3);
    const std::vector<Tensor> lefts = layouts(values({m, k}, f32, 1)), rights = layouts(values({k, n}, f32, 2));
    for (const Tensor& a : {lefts[0], lefts[1]})
      for (const Tensor& b : {rights[0], rights[1]}) {
        SCOPED_TRACE(text(a.shape(), a.strides(), " times ", b.shape(), b.strides()));
        const Tensor y = matmul(a, b), shifted = linear(a, Tensor::view(b.node().storage, 0, {n, k}, {b.strides()[1], b.strides()[0]}, f32), bias);
        expect_product(y, a, b);
        each_index(y.shape(), [&](std::span<const int64_t> i) {
          ASSERT_NEAR(element<float>(shifted, i), element<float>(y, i) + element<float>(bias, i.subspan(1)), 2e-5);
        });
      }
  }
}

// With an operand transposed by the call, as gradients do it.
TEST(Matmul, TransposedByTheCall) {
  const Tensor a = values({3, 5, 4}, f64, 1), b = values({3, 4, 7}, f64, 2), y = matmul(a, b);
  const auto turned = [](const Tensor& x) {
    return contiguous(Tensor::view(x.node().storage, 0, {3, x.size(2), x.size(1)}, {x.strides()[0], 1, x.strides()[1]}, f64));
  };
  EXPECT_TRUE(same_bits(matmul(turned(a), b, {.a = true}), y));
  EXPECT_TRUE(same_bits(matmul(a, turned(b), {.b = true}), y));
  EXPECT_TRUE(same_bits(matmul(turned(a), turned(b), {.a = true, .b = true}), y));
}

TEST(Matmul, LargePrimesAcrossThreads) {
  for (const DType dtype : {f32, f64}) {
    const Tensor a = values({101, 157}, dtype, 1), b = values({157, 97}, dtype, 2);
    for (const int threads : {1, 2}) {
      const Threads some(threads);
      expect_product(matmul(a, b), a, b);
    }
  }
}

TEST(Matmul, NoTermsMakeZeros) {
  EXPECT_EQ(matmul(zeros({2, 0}), zeros({0, 3})).to_vector<float>(), std::vector<float>(6, 0));
  EXPECT_EQ(matmul(zeros({4, 100, 0}), zeros({0, 100})).to_vector<float>(), std::vector<float>(40'000, 0));
  EXPECT_EQ(matmul(zeros({0, 5}), zeros({5, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(matmul(zeros({0, 2, 5}), zeros({5, 3})).shape(), (Shape{0, 2, 3}));
}

TEST(Matmul, BatchesBroadcast) {
  const std::pair<Shape, Shape> pairs[] = {{{3, 2, 4}, {3, 4, 5}},
                                           {{3, 2, 4}, {1, 4, 5}},
                                           {{1, 2, 4}, {3, 4, 5}},
                                           {{2, 4}, {3, 4, 5}},
                                           {{3, 2, 4}, {4, 5}},
                                           {{2, 1, 2, 4}, {3, 4, 5}},
                                           {{2, 3, 2, 4}, {2, 1, 4, 5}},
                                           {{1, 1, 2, 4}, {2, 3, 4, 5}},
                                           {{2, 30, 20}, {20, 13}},
                                           {{7, 20, 30}, {7, 30, 20}},
                                           {{2, 1, 3, 1, 2, 4}, {5, 1, 2, 4, 3}}};
  for (const auto& [first, second] : pairs) {
    for (const Tensor& a : layouts(values(first, f64, 1))) {
      for (const Tensor& b : layouts(values(second, f64, 2))) {
        SCOPED_TRACE(text(first, a.strides(), " times ", second, b.strides()));
        const Tensor y = matmul(a, b);
        ASSERT_EQ(y.rank(), std::max(first.rank(), second.rank()));
        expect_product(y, a, b);
      }
    }
  }
  EXPECT_FAILS(matmul(zeros({2, 3, 4}), zeros({3, 4, 5})), "matmul", "[2]", "[3]");
}

TEST(Matmul, FewLargeProducts) {
  const Tensor a = values({3, 70, 65}, f64, 1), b = values({65, 61}, f64, 2);
  for (const int threads : {1, 2}) {
    const Threads some(threads);
    expect_product(matmul(a, b), a, b);
    expect_product(
        matmul(Tensor::view(b.node().storage, 0, {61, 65}, {1, 61}, f64), Tensor::view(a.node().storage, 0, {3, 65, 70}, {4550, 1, 65}, f64)),
        Tensor::view(b.node().storage, 0, {61, 65}, {1, 61}, f64), Tensor::view(a.node().storage, 0, {3, 65, 70}, {4550, 1, 65}, f64));
  }
}

TEST(Matmul, ExpandedBatchesAndRows) {
  const Tensor a = values({3, 4}, f64, 1), b = values({4, 5}, f64, 2);
  const Tensor repeated = Tensor::view(a.node().storage, 0, {6, 3, 4}, {0, 4, 1}, f64), row = Tensor::view(b.node().storage, 5, {4, 5}, {0, 1}, f64);
  expect_product(matmul(repeated, b), repeated, b);
  expect_product(matmul(a, row), a, row);
  const Tensor column = Tensor::view(a.node().storage, 0, {3, 4}, {4, 0}, f64);
  expect_product(matmul(column, b), column, b);
}

TEST(Matmul, NaNAndInfinityPassThrough) {
  for (const int64_t n : {2, 40}) {
    const Tensor a = zeros({n, n}, f64), b = zeros({n, n}, f64);
    element<double>(a, {0, 0}) = NAN;
    element<double>(b, {1, 1}) = INFINITY;
    const Tensor y = matmul(a, b);
    for (int64_t j = 0; j < n; ++j) EXPECT_TRUE(std::isnan(element<double>(y, {0, j}))) << n;
    for (int64_t i = 0; i < n; ++i) EXPECT_TRUE(std::isnan(element<double>(y, {i, 1}))) << n;  // zero times infinity
  }
}

TEST(Linear, AddsTheBiasToRowsTimesWeights) {
  for (const DType dtype : {f32, f64}) {
    for (const auto& [rows, in, out] : {std::tuple{1, 1, 1}, {3, 5, 7}, {64, 31, 10}, {0, 4, 3}, {40, 50, 60}}) {
      const Tensor bias = values({out}, dtype, 3);
      for (const Tensor& x : layouts(values({rows, in}, dtype, 1))) {
        for (const Tensor& w : layouts(values({out, in}, dtype, 2))) {
          const Tensor turned = Tensor::view(w.node().storage, w.node().offset, {in, out}, {w.strides()[1], w.strides()[0]}, dtype);
          expect_product(linear(x, w, {}), x, turned);
          const Tensor plain = linear(x, w, {}), y = linear(x, w, bias);
          each_index(y.shape(), [&](std::span<const int64_t> i) {
            const auto difference = dispatch_floating("", dtype, [&]<class T>() {
              return static_cast<double>(element<T>(y, i)) - static_cast<double>(element<T>(plain, i)) -
                     static_cast<double>(element<T>(bias, i.subspan(1)));
            });
            ASSERT_NEAR(difference, 0, dtype == f32 ? 2e-5 : 1e-14);
          });
        }
      }
    }
  }
}

TEST(Gemm, ScalesAndAccumulates) {
  for (const int64_t n : {3, 20}) {
    const Tensor a = values({n, n}, f64, 1), b = values({n, n}, f64, 2), c = values({n, n}, f64, 3), product = matmul(a, b);
    for (const double alpha : {1.0, -2.0, 0.5, 0.0}) {
      for (const double beta : {0.0, 1.0, 0.25}) {
        Tensor out = clone(c);
        blas::gemm(n, n, n, alpha, {a.data<double>(), n}, {b.data<double>(), n}, beta, out.mutable_data<double>(), n);
        each_index(c.shape(), [&](std::span<const int64_t> i) {
          ASSERT_NEAR(element<double>(out, i), alpha * element<double>(product, i) + beta * element<double>(c, i), 1e-13);
        });
      }
    }
    // With beta = 0 it doesn't matter what was there.
    Tensor garbage = full({n, n}, NAN, f64);
    blas::gemm(n, n, n, 1.0, {a.data<double>(), n}, {b.data<double>(), n}, 0.0, garbage.mutable_data<double>(), n);
    EXPECT_TRUE(same_bits(garbage, product));
  }
}

}  // namespace
}  // namespace scry::kernels
