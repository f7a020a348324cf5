// Layers without parameters: ReLU, Flatten, Dropout, MaxPool2d.

#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::testing;

TEST(ReLU, ValuesGradientsErrors) {
  const ReLU layer;
  EXPECT_EQ(layer(Tensor::of(std::vector<float>{-2, 0, 3}, {3})).to_vector<float>(), (std::vector<float>{0, 0, 3}));
  check_gradients(layer, {3, 4});
  EXPECT_TRUE(layer.parameters().empty());
  EXPECT_FAILS(layer(zeros({2}, i64)), "nn.ReLU", "relu", "i64");
  EXPECT_FAILS(layer(Tensor{}), "nn.ReLU", "undefined");
}

TEST(Flatten, ValuesGradientsErrors) {
  const Tensor x = rand({2, 3, 4, 5});
  EXPECT_EQ(Flatten{}(x).shape(), (Shape{2, 60}));
  EXPECT_EQ(Flatten(0)(x).shape(), (Shape{120}));
  EXPECT_EQ(Flatten(1, 2)(x).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(Flatten(-2, -1)(x).shape(), (Shape{2, 3, 20}));
  EXPECT_EQ(Flatten{}(x).to_vector<float>(), x.to_vector<float>());
  EXPECT_EQ(Flatten{}(transpose(x, 1, 3)).to_vector<float>(), transpose(x, 1, 3).to_vector<float>());
  EXPECT_EQ(Flatten{}(zeros({0, 3, 4})).shape(), (Shape{0, 12}));
  check_gradients(Flatten{}, {2, 3, 2});
  EXPECT_FAILS(Flatten{}(zeros({3})), "nn.Flatten", "flatten", "axis 1");
  EXPECT_FAILS(Flatten(2, 1)(x), "nn.Flatten", "axis 2 comes after axis 1");
}

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

TEST(Dropout, Gradients) {
  for (const double p : {0.0, 0.3, 1.0}) {
    struct Repeated : Module<Repeated> {  // the same mask at every call
      explicit Repeated(double p) : drop(add("drop", Dropout{p})) {}
      Tensor forward(const Tensor& x) const {
        manual_seed(5);
        return drop(x);
      }
      Dropout drop;
    };
    check_gradients(Repeated(p), {4, 5});
  }
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
}

TEST(MaxPool2d, Values) {
  const Tensor x = uniform({2, 3, 7, 6}, -1, 1, f64);
  struct Case {
    Pair kernel;
    MaxPoolOptions options;
  };
  for (const auto& [kernel, options] :
       {Case{2, {}}, Case{{3, 2}, {.stride = 1}}, Case{3, {.stride = Pair{2, 1}, .padding = 1}}, Case{2, {.stride = 3, .ceil_mode = true}}}) {
    const Tensor y = MaxPool2d(kernel, options)(x);
    const Pair stride = options.stride.value_or(kernel), padding = options.padding;
    const auto size = [ceil = options.ceil_mode](int64_t in, int64_t k, int64_t s, int64_t p) {
      const int64_t out = (in + 2 * p - k + (ceil ? s - 1 : 0)) / s + 1;
      return ceil && (out - 1) * s >= in + p ? out - 1 : out;  // no window lies beyond the image
    };
    ASSERT_EQ(y.shape(), (Shape{2, 3, size(7, kernel.height, stride.height, padding.height), size(6, kernel.width, stride.width, padding.width)}));
    each_index(y.shape(), [&](std::span<const int64_t> i) {
      double best = -INFINITY;
      for (int64_t a = 0; a < kernel.height; ++a) {
        for (int64_t b = 0; b < kernel.width; ++b) {
          const int64_t row = i[2] * stride.height - padding.height + a, column = i[3] * stride.width - padding.width + b;
          if (row >= 0 && row < 7 && column >= 0 && column < 6) best = std::max(best, element<double>(x, {i[0], i[1], row, column}));
        }
      }
      ASSERT_EQ(element<double>(y, i), best);
    });
  }
}

TEST(MaxPool2d, Gradients) {
  check_gradients(MaxPool2d(2), {2, 2, 4, 5});
  check_gradients(MaxPool2d(3, {.stride = 2, .padding = 1}), {1, 2, 5, 4});
  check_gradients(MaxPool2d({2, 3}, {.stride = 1, .ceil_mode = true}), {1, 1, 4, 5});
}

TEST(MaxPool2d, Errors) {
  const MaxPool2d layer(2);
  EXPECT_FAILS(layer(zeros({3, 4, 4})), "nn.MaxPool2d 2 x 2", "4 axes", "[3, 4, 4]");
  EXPECT_FAILS(layer(zeros({1, 3, 4, 4}, i64)), "nn.MaxPool2d", "i64");
  EXPECT_FAILS(layer(zeros({1, 3, 1, 4})), "nn.MaxPool2d");
  EXPECT_FAILS(layer(Tensor{}), "nn.MaxPool2d", "undefined");
  EXPECT_FAILS(MaxPool2d(2, {.padding = 2})(zeros({1, 1, 4, 4})), "padding", "half");
  EXPECT_FAILS(MaxPool2d(0)(zeros({1, 1, 4, 4})), "kernel");
}

}  // namespace
}  // namespace scry::nn
