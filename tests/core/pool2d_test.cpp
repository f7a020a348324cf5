#include <gtest/gtest.h>

#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/pool2d.hpp>
#include <scry/core/parallel.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace scry::kernels {
namespace {

struct Case {
  const char* name;
  Shape input;
  Window2d window;
  bool ceil_mode = false;
};

Window2d window(int64_t kernel, int64_t stride, int64_t padding = 0, int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {padding, padding}, {padding, padding}, {dilation, dilation}};
}

const std::vector<Case> cases{
    {"one element", {1, 1, 1, 1}, window(1, 1)},
    {"empty batch", {0, 3, 8, 8}, window(2, 2)},
    {"halves", {5, 20, 24, 24}, window(2, 2)},
    {"halves of one channel", {5, 1, 8, 10}, window(2, 2)},
    {"halves, odd", {3, 17, 7, 9}, window(2, 2)},
    {"halves, odd, upwards", {3, 50, 7, 9}, window(2, 2), true},
    {"overlapping", {2, 16, 11, 13}, window(3, 2, 1)},
    {"overlapping, upwards", {2, 33, 12, 13}, window(3, 2, 1), true},
    {"every step", {2, 3, 6, 5}, window(3, 1, 1)},
    {"dilated", {2, 3, 13, 11}, window(3, 2, 1, 2)},
    {"all of it", {4, 64, 8, 8}, window(8, 8)},
    {"large kernel", {2, 3, 20, 40}, window(17, 3, 8)},
    {"stride beyond the kernel", {2, 5, 11, 10}, window(2, 3)},
    {"in bands", {1, 17, 97, 47}, window(3, 2, 1)},
    {"in bands, dilated", {2, 20, 91, 50}, window(2, 5, 1, 3)},
    {"uneven", {2, 5, 9, 10}, {{3, 2}, {2, 1}, {1, 0}, {0, 1}, {1, 1}}},
};

// Values from a short list, so that there are ties.
Tensor random_tensor(const Shape& shape, DType dtype, bool last, unsigned seed) {
  std::mt19937 engine(seed);
  Tensor x = last ? empty_channels_last(shape, dtype) : Tensor::empty(shape, dtype);
  dispatch_floating("random", dtype, [&]<class T>() {
    for (int64_t i = 0; i < x.numel(); ++i) static_cast<T*>(x.raw())[i] = static_cast<T>(engine() % 17) - T{8};
  });
  return x;
}

// One window at a time: calls visit(output element, input element, index in the window) for all that lie on the image.
template <class F>
void for_windows(const Case& t, const Shape& output, const F& visit) {
  const Window2d& v = t.window;
  int64_t out = 0;
  for (int64_t plane = 0; plane < output[0] * output[1]; ++plane)
    for (int64_t i = 0; i < output[2]; ++i)
      for (int64_t j = 0; j < output[3]; ++j, ++out)
        for (int64_t a = 0; a < v.kernel[0]; ++a)
          for (int64_t b = 0; b < v.kernel[1]; ++b) {
            const int64_t h = i * v.stride[0] - v.padding_before[0] + a * v.dilation[0];
            const int64_t w = j * v.stride[1] - v.padding_before[1] + b * v.dilation[1];
            if (h < 0 || h >= t.input[2] || w < 0 || w >= t.input[3]) continue;
            visit(static_cast<size_t>(out), static_cast<size_t>((plane * t.input[2] + h) * t.input[3] + w), a * v.kernel[1] + b);
          }
}

class Pool2d : public testing::TestWithParam<Case> {};

TEST_P(Pool2d, MaximaAndTheirGradientsAgreeWithTheDefinition) {
  const Case& t = GetParam();
  for (const DType dtype : {f32, f64})
    for (const bool last : {false, true}) {
      const Tensor x = random_tensor(t.input, dtype, last, 1);
      const auto [values, indices] = max_pool2d(x, t.window, t.ceil_mode);
      const Shape output = pool2d_output_shape("max_pool2d", t.input, t.window, t.ceil_mode);
      ASSERT_EQ(values.shape(), output);
      const Tensor gradient = random_tensor(output, dtype, !last, 2);
      const auto xs = x.to_vector<double>(), gs = gradient.to_vector<double>();
      std::vector<double> expected(gs.size(), -INFINITY), expected_grad(xs.size());
      std::vector<int64_t> expected_index(gs.size());
      std::vector<size_t> from(gs.size());
      for_windows(t, output, [&](size_t out, size_t in, int64_t tap) {
        if (!(xs[in] > expected[out])) return;
        expected[out] = xs[in];
        expected_index[out] = tap;
        from[out] = in;
      });
      for (size_t i = 0; i < gs.size(); ++i) expected_grad[from[i]] += gs[i];
      EXPECT_EQ(values.to_vector<double>(), expected);
      EXPECT_EQ(indices.to_vector<int64_t>(), expected_index);
      EXPECT_EQ(max_pool2d_grad(gradient, indices, t.input, t.window).to_vector<double>(), expected_grad);
      EXPECT_EQ(max_pool2d_gather(x, indices, t.window).to_vector<double>(), expected);
    }
}

TEST_P(Pool2d, MeansAndTheirGradientsAgreeWithTheDefinition) {
  const Case& t = GetParam();
  for (const DType dtype : {f32, f64})
    for (const bool include_pad : {false, true}) {
      const Tensor x = random_tensor(t.input, dtype, include_pad, 1);
      const Tensor means = avg_pool2d(x, t.window, t.ceil_mode, include_pad);
      const Shape output = pool2d_output_shape("avg_pool2d", t.input, t.window, t.ceil_mode);
      ASSERT_EQ(means.shape(), output);
      const Tensor gradient = random_tensor(output, dtype, !include_pad, 2);
      const auto xs = x.to_vector<double>(), gs = gradient.to_vector<double>();
      // The elements of a window: those of the image, or of the padded image, in which ceil mode adds nothing.
      Case counted = t;
      if (include_pad) {
        for (const int i : {0, 1}) {
          const auto k = static_cast<size_t>(i);
          counted.input[2 + i] += t.window.padding_before[k] + t.window.padding_after[k];
          counted.window.padding_before[k] = 0;
        }
      }
      std::vector<double> count(gs.size()), expected(gs.size()), expected_grad(xs.size());
      for_windows(counted, output, [&](size_t out, size_t, int64_t) { ++count[out]; });
      for_windows(t, output, [&](size_t out, size_t in, int64_t) {
        expected[out] += xs[in] / count[out];
        expected_grad[in] += gs[out] / count[out];
      });
      const auto actual = means.to_vector<double>(), actual_grad = avg_pool2d_grad(gradient, t.input, t.window, include_pad).to_vector<double>();
      const double tolerance = dtype == f32 ? 2e-5 : 1e-13;
      for (size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], tolerance) << i;
      for (size_t i = 0; i < actual_grad.size(); ++i) ASSERT_NEAR(actual_grad[i], expected_grad[i], tolerance) << i;
    }
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.name;
  std::erase(name, ',');
  for (char& c : name)
    if (c == ' ') c = '_';
  return name;
}

void PrintTo(const Case& t, std::ostream* out) { *out << text(t.name, ": ", t.input); }

INSTANTIATE_TEST_SUITE_P(Kernels, Pool2d, testing::ValuesIn(cases), name_of_case);

TEST(MaxPool2d, NanIsTheMaximumAndTheFirstOneWins) {
  const float nan = std::nanf("");
  for (const int64_t channels : {1, 3, 16, 20}) {
    Tensor x = Tensor::empty({1, channels, 2, 4});
    for (int64_t c = 0; c < channels; ++c) {
      const float plane[8] = {1, nan, -INFINITY, -INFINITY, nan, 9, -INFINITY, -INFINITY};
      std::memcpy(static_cast<float*>(x.raw()) + c * 8, plane, sizeof plane);
    }
    const auto [values, indices] = max_pool2d(x, window(2, 2));
    for (int64_t c = 0; c < channels; ++c) {
      EXPECT_TRUE(std::isnan(values.to_vector<float>()[static_cast<size_t>(2 * c)]));
      EXPECT_EQ(values.to_vector<float>()[static_cast<size_t>(2 * c + 1)], -INFINITY);
      EXPECT_EQ(indices.to_vector<int64_t>()[static_cast<size_t>(2 * c)], 1);
      EXPECT_EQ(indices.to_vector<int64_t>()[static_cast<size_t>(2 * c + 1)], 0);
    }
  }
}

TEST(MaxPool2d, PaddingIsNeverTheMaximum) {
  Tensor x = Tensor::empty({1, 2, 2, 2});
  fill(x, -5);
  const auto [values, indices] = max_pool2d(x, window(3, 2, 1));
  EXPECT_EQ(values.to_vector<float>(), (std::vector<float>{-5, -5}));
  EXPECT_EQ(indices.to_vector<int64_t>(), (std::vector<int64_t>{4, 4}));
}

TEST(MaxPool2d, AWindowInThePaddingHasNoMaximumAndNoGradient) {
  Tensor x = Tensor::empty({1, 1, 1, 1});
  fill(x, 3);
  const Window2d v{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  const auto [values, indices] = max_pool2d(x, v);
  ASSERT_EQ(values.shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(values.to_vector<float>()[0], -INFINITY);
  EXPECT_EQ(values.to_vector<float>()[4], 3);
  Tensor ones = Tensor::empty(values.shape());
  fill(ones, 1);
  EXPECT_EQ(max_pool2d_grad(ones, indices, x.shape(), v).item(), 1);
  EXPECT_EQ(max_pool2d_gather(x, indices, v).to_vector<float>(), (std::vector<float>{0, 0, 0, 0, 3, 0, 0, 0, 0}));
}

TEST(Pool2dShapes, FollowPyTorch) {
  const auto size = [](int64_t in, const Window2d& w, bool ceil_mode) { return pool2d_output_shape("pool", {1, 1, in, in}, w, ceil_mode)[2]; };
  EXPECT_EQ(size(8, window(3, 2), false), 3);
  EXPECT_EQ(size(8, window(3, 2), true), 4);
  EXPECT_EQ(size(7, window(3, 2), true), 3);
  EXPECT_EQ(size(3, window(2, 2, 1), true), 2);  // a third window would start in the padding behind the image
  EXPECT_EQ(size(9, window(3, 2, 1, 2), false), 4);
}

TEST(Pool2dResults, DoNotDependOnTheNumberOfThreads) {
  const int before = thread_count();
  const Tensor x = random_tensor({4, 20, 41, 40}, f32, true, 1);
  std::vector<std::vector<float>> results[2];
  for (const int threads : {1, 2}) {
    set_thread_count(threads);
    const auto [values, indices] = max_pool2d(x, window(3, 2, 1));
    const Tensor means = avg_pool2d(x, window(3, 2, 1));
    const Tensor max_grad = max_pool2d_grad(values, indices, x.shape(), window(3, 2, 1));
    const Tensor avg_grad = avg_pool2d_grad(means, x.shape(), window(3, 2, 1));
    for (const Tensor& y : {values, max_grad, means, avg_grad}) results[threads - 1].push_back(y.to_vector<float>());
  }
  set_thread_count(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(Pool2dErrors, NameWhatIsWrong) {
  const Tensor x = Tensor::empty({1, 1, 4, 4});
  EXPECT_THROW(max_pool2d(x, window(5, 1)), Error);
  EXPECT_THROW(max_pool2d(Tensor::empty({1, 4, 4}), window(2, 2)), Error);
  EXPECT_THROW(max_pool2d(Tensor::empty({1, 1, 4, 4}, i64), window(2, 2)), Error);
  EXPECT_THROW(avg_pool2d(x, window(2, 0)), Error);
  EXPECT_THROW(avg_pool2d_grad(x, {1, 1, 4, 4}, window(2, 2)), Error);
  EXPECT_THROW(max_pool2d_grad(x, x, {1, 1, 8, 8}, window(2, 2)), Error);
}

}  // namespace
}  // namespace scry::kernels
