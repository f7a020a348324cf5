#include <gtest/gtest.h>

#include <scry/core/core.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/io_support.hpp"
#include "python.hpp"

namespace scry {
namespace {

using test::put;
using test::TempFolder;

// What stands before type and shape.
std::string values(const Tensor& x, const PrintOptions& options = {}) {
  const std::string all = to_text(x, options), after = text(x.rank() > 1 && x.numel() > 0 ? "\n" : " ", x.dtype(), " ", x.shape());
  EXPECT_TRUE(all.ends_with(after)) << all;
  return all.substr(0, all.size() - after.size());
}

TEST(Print, TypeAndShape) {
  EXPECT_EQ(to_text(tensor({{1.5, 2}, {3, 4}})), "[[1.5 2. ]\n [3.  4. ]]\nf32 [2, 2]");
  EXPECT_EQ(to_text(arange(3)), "[0 1 2] i64 [3]");
  EXPECT_EQ(to_text(scalar(2.5)), "2.5 f32 []");
  EXPECT_EQ(to_text(zeros({0, 3})), "[] f32 [0, 3]");
  EXPECT_EQ(to_text(Tensor()), "undefined");
  std::ostringstream out;
  out << tensor({true, false});
  EXPECT_EQ(out.str(), "[ True False] bool [2]");
}

// Expected texts are NumPy's str of the same arrays.
TEST(Print, AlignedAsNumpyDoes) {
  EXPECT_EQ(values(tensor({1.5, 2.0, 3.25})), "[1.5  2.   3.25]");
  EXPECT_EQ(values(tensor({-10, 5, 100})), "[-10   5 100]");
  EXPECT_EQ(values(tensor({uint8_t{7}, uint8_t{255}})), "[  7 255]");
  EXPECT_EQ(values(tensor({-0.0, 1.0})), "[-0.  1.]");
  EXPECT_EQ(values(tensor({-1.5, 22.25})), "[-1.5  22.25]");
  EXPECT_EQ(values(zeros({2, 2, 2})), "[[[0. 0.]\n  [0. 0.]]\n\n [[0. 0.]\n  [0. 0.]]]");
  EXPECT_EQ(values(zeros({1, 1, 1, 2})), "[[[[0. 0.]]]]");
}

TEST(Print, AsManyDigitsAsTellNumbersApart) {
  EXPECT_EQ(values(tensor({1.0 / 3})), "[0.33333334]");
  EXPECT_EQ(values(tensor({1.0 / 3}, f64)), "[0.33333333]");
  EXPECT_EQ(values(tensor({0.1, 0.2})), "[0.1 0.2]");
  EXPECT_EQ(values(tensor({0.1, 0.123456789}, f64)), "[0.1        0.12345679]");
  EXPECT_EQ(values(tensor({0.1, 0.123456789}, f64), {.precision = 3}), "[0.1   0.123]");
}

TEST(Print, PowersOfTenWhereTheRangeDemandsThem) {
  EXPECT_EQ(values(tensor({1e10, 1.0})), "[1.e+10 1.e+00]");
  EXPECT_EQ(values(tensor({1e-5, 1.0}, f64)), "[1.e-05 1.e+00]");
  EXPECT_EQ(values(tensor({123456.789, 0.001}, f64)), "[1.23456789e+05 1.00000000e-03]");
  EXPECT_EQ(values(tensor({16777216.0, 0.5})), "[1.6777216e+07 5.0000000e-01]");
  EXPECT_EQ(values(tensor({1e-300, -1e300}, f64)), "[ 1.e-300 -1.e+300]");
  EXPECT_EQ(values(tensor({1e8, 2.0}, f64)), "[1.e+08 2.e+00]");
}

TEST(Print, WhatIsNotFinite) {
  EXPECT_EQ(values(tensor({NAN, INFINITY, -1.0})), "[nan inf -1.]");
  EXPECT_EQ(values(tensor({NAN, -INFINITY})), "[ nan -inf]");
  EXPECT_EQ(values(tensor({NAN, 1.125})), "[  nan 1.125]");
  EXPECT_EQ(values(tensor({INFINITY, 1e10, 1.5}, f64)), "[    inf 1.0e+10 1.5e+00]");
}

TEST(Print, SingleValues) {
  EXPECT_EQ(values(scalar(1e-5)), "1e-05");
  EXPECT_EQ(values(scalar(1e20)), "1e+20");
  EXPECT_EQ(values(scalar(2)), "2.0");
  EXPECT_EQ(values(scalar(1.0 / 3, f64)), "0.3333333333333333");
  EXPECT_EQ(values(scalar(12345678)), "1.2345678e+07");
  EXPECT_EQ(values(scalar(12345678, f64)), "12345678.0");
  EXPECT_EQ(values(scalar(-INFINITY)), "-inf");
  EXPECT_EQ(values(tensor(true)), "True");
  EXPECT_EQ(values(tensor(INT64_MIN)), "-9223372036854775808");
}

TEST(Print, LargeOnesShowTheirEdges) {
  EXPECT_EQ(values(arange(2000)), "[   0    1    2 ... 1997 1998 1999]");
  EXPECT_EQ(values(arange(20), {.threshold = 10, .edge_items = 1}), "[ 0 ... 19]");
  EXPECT_EQ(values(zeros({100, 100})),
            "[[0. 0. 0. ... 0. 0. 0.]\n [0. 0. 0. ... 0. 0. 0.]\n [0. 0. 0. ... 0. 0. 0.]\n ...\n"
            " [0. 0. 0. ... 0. 0. 0.]\n [0. 0. 0. ... 0. 0. 0.]\n [0. 0. 0. ... 0. 0. 0.]]");
  EXPECT_EQ(values(zeros({2, 5, 1}), {.threshold = 4, .edge_items = 1}), "[[[0.]\n  ...\n  [0.]]\n\n [[0.]\n  ...\n  [0.]]]");
  EXPECT_EQ(values(arange(1000)).find("..."), std::string::npos);
}

TEST(Print, LongLinesGoOn) {
  EXPECT_EQ(values(arange(0.0, 30.0)),
            "[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n 18. 19. 20. 21. 22. 23. 24. 25. 26. 27. 28. 29.]");
}

TEST(Print, ViewsAsTheyLook) {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(values(Tensor::view(x.node().storage, 5, {3, 2}, {-1, -3}, i64)), "[[6 3]\n [5 2]\n [4 1]]");
}

// NumPy, where it is installed, prints the same arrays of random shapes and ranges the same way.
TEST(Print, RandomArraysAsNumpyDoes) {
  if (const std::string why = test::missing_in_python("numpy"); !why.empty()) GTEST_SKIP() << why;
  const TempFolder folder;
  Generator generator(1);
  for (int i = 0; i < 60; ++i) {
    Shape shape;
    for (int64_t axes = generator.below(5); axes > 0; --axes) shape.push_back(generator.below(i % 3 ? 5 : 13));
    Tensor x = randn(shape, i % 2 ? f32 : f64, generator);
    const double factor = std::pow(10, static_cast<double>(generator.below(20)) - 8);
    dispatch_floating("", x.dtype(), [&]<class T>() {
      for (T& value : std::span(x.mutable_data<T>(), static_cast<size_t>(x.numel()))) {
        const int64_t kind = generator.below(12);
        value = kind == 0 ? std::round(value * T{9}) : kind == 1 && i % 5 == 0 ? T{INFINITY} : kind == 2 && i % 7 == 0 ? T{NAN} : value;
        if (i % 4) value = static_cast<T>(value * factor);
      }
    });
    io::save_npy(folder / text(i, ".npy"), x);
    put(folder / text(i, ".txt"), values(x));
  }
  EXPECT_TRUE(test::run_python({put(folder / "check.py", R"(
import sys, numpy as np
bad = 0
for i in range(60):
    want, got = str(np.load(f"{sys.argv[1]}/{i}.npy")), open(f"{sys.argv[1]}/{i}.txt").read()
    if want != got: print(f"--- {i}: NumPy\n{want}\n--- ours\n{got}"); bad += 1
raise SystemExit(bad)
)"),
                                folder.path()}));
}

}  // namespace
}  // namespace scry
