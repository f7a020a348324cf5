#include <gtest/gtest.h>

#include <scry/core/kernels/conv2d.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/memory.hpp>
#include <scry/core/parallel.hpp>
#include <scry/core/winograd.hpp>
#include <cmath>
#include <cstring>
#include <random>

namespace scry::kernels {
namespace {

struct Case {
  const char* name;
  Shape input, weight;
  Window2d window;
  int64_t groups = 1;
};

Window2d window(int64_t kernel_h, int64_t kernel_w, int64_t stride, int64_t padding, int64_t dilation = 1) {
  return {{kernel_h, kernel_w}, {stride, stride}, {padding, padding}, {padding, padding}, {dilation, dilation}};
}

std::vector<Case> make_cases() {
  std::vector<Case> cases{
      {"one element", {1, 1, 1, 1}, {1, 1, 1, 1}, window(1, 1, 1, 0)},
      {"empty batch", {0, 3, 7, 5}, {4, 3, 3, 3}, window(3, 3, 1, 1)},
      {"lenet 1", {5, 1, 28, 28}, {20, 1, 5, 5}, window(5, 5, 1, 0)},
      {"lenet 2", {5, 20, 12, 12}, {50, 20, 5, 5}, window(5, 5, 1, 0)},
      {"lenet 1, a batch", {16, 1, 28, 28}, {20, 1, 5, 5}, window(5, 5, 1, 0)},
      {"lenet 2, a batch", {33, 20, 12, 12}, {50, 20, 5, 5}, window(5, 5, 1, 0)},
      {"resnet stem", {3, 3, 32, 32}, {16, 3, 3, 3}, window(3, 3, 1, 1)},
      {"resnet 16", {2, 16, 32, 32}, {16, 16, 3, 3}, window(3, 3, 1, 1)},
      {"resnet 16 to 32", {3, 16, 32, 32}, {32, 16, 3, 3}, window(3, 3, 2, 1)},
      {"resnet shortcut", {3, 16, 32, 32}, {32, 16, 1, 1}, window(1, 1, 2, 0)},
      {"resnet 64", {5, 64, 8, 8}, {64, 64, 3, 3}, window(3, 3, 1, 1)},
      {"pointwise", {5, 20, 7, 9}, {48, 20, 1, 1}, window(1, 1, 1, 0)},
      {"kernel as large as the image", {5, 16, 4, 4}, {10, 16, 4, 4}, window(4, 4, 1, 0)},
      {"padding larger than the kernel", {2, 3, 5, 4}, {4, 3, 2, 2}, window(2, 2, 1, 3)},
      {"stride larger than the kernel", {2, 4, 11, 13}, {16, 4, 2, 1}, window(2, 1, 3, 1)},
      {"stride 3, dilation 2", {2, 5, 17, 19}, {7, 5, 3, 3}, window(3, 3, 3, 2, 2)},
      {"stride 2, dilation 2", {2, 16, 13, 12}, {32, 16, 3, 3}, window(3, 3, 2, 2, 2)},
      {"dilation 3", {17, 20, 11, 11}, {18, 20, 3, 3}, window(3, 3, 1, 3, 3)},
      {"everything uneven", {17, 6, 13, 11}, {9, 6, 3, 2}, {{3, 2}, {2, 1}, {0, 2}, {3, 1}, {1, 2}}},
      {"two groups", {3, 6, 9, 7}, {8, 3, 3, 3}, window(3, 3, 1, 1), 2},
      {"groups of 16", {2, 32, 9, 7}, {32, 16, 3, 3}, window(3, 3, 2, 1), 2},
      {"groups of 4", {2, 32, 9, 7}, {32, 4, 3, 3}, window(3, 3, 1, 1), 8},
      {"groups of 4, stride 2", {2, 16, 9, 8}, {32, 2, 3, 2}, window(3, 2, 2, 1), 8},
      {"depthwise, 5 x 7", {2, 35, 8, 3}, {35, 1, 5, 7}, window(5, 7, 1, 3), 35},
      {"depthwise", {3, 20, 9, 7}, {20, 1, 3, 3}, window(3, 3, 1, 1), 20},
      {"depthwise, twice as many", {3, 5, 9, 7}, {10, 1, 3, 3}, window(3, 3, 2, 1), 5},
      {"depthwise, stride 2, dilation 2", {3, 16, 9, 10}, {16, 1, 3, 3}, window(3, 3, 2, 1, 2), 16},
      {"many terms", {2, 300, 4, 4}, {33, 300, 3, 3}, window(3, 3, 1, 1)},
      {"empty batch of 16 channels", {0, 16, 7, 5}, {16, 16, 3, 3}, window(3, 3, 1, 1)},
      {"empty images with padding", {3, 16, 0, 2}, {16, 16, 3, 3}, window(3, 3, 1, 2)},
      {"a batch in several parts", {49, 1, 210, 210}, {3, 1, 2, 2}, window(2, 2, 15, 0)},
      {"one block of patches", {1, 300, 4, 4}, {33, 300, 3, 3}, window(3, 3, 1, 1)},
      {"long rows", {1, 3, 2, 301}, {5, 3, 1, 7}, {{1, 7}, {1, 2}, {0, 3}, {0, 3}, {1, 1}}},
  };
  // Sizes around the blocks of the kernels.
  for (const int64_t channels : {1, 3, 15, 16, 17, 31, 33, 50})
    for (const int64_t width : {1, 5, 7, 8, 9, 15, 17})
      cases.push_back({"around blocks", {3, channels, 4, width}, {50 - channels + 1, channels, 3, 3}, window(3, 3, width % 2 + 1, 1)});
  for (const int64_t batch : {1, 7, 8, 15, 16, 17, 32})
    for (const int64_t channels : {1, 3, 6, 20})
      cases.push_back({"around batches", {batch, channels, 6, 7}, {26 - channels, channels, 3, 3}, window(3, 3, 1 + channels % 2, batch % 3)});
  for (const int64_t outputs : {1, 2, 3, 4, 5})
    for (const int64_t width : {1, 3, 4, 5, 9})
      cases.push_back({"few outputs", {2, outputs + 13, 4, width}, {outputs, outputs + 13, 3, 3}, window(3, 3, 1 + width % 2, 1)});
  for (const int64_t batch : {2, 16})
    for (const int64_t of_group : {1, 2, 3, 5, 7, 8, 9, 17})
      cases.push_back({"around groups", {batch, 12, 5, 6}, {4 * of_group, 3, 3, 3}, window(3, 3, 1 + of_group % 2, 1), 4});
  // And around the tiles, their blocks and the pieces of the weight gradient in Winograd's method.
  for (const int64_t batch : {31, 33, 64, 257}) cases.push_back({"around blocks of tiles", {batch, 8, 4, 3}, {9, 8, 3, 3}, window(3, 3, 1, 1)});
  cases.push_back({"tiles by rows", {2, 16, 37, 41}, {17, 16, 3, 3}, window(3, 3, 1, 0)});
  cases.push_back({"wide", {3, 140, 13, 11}, {100, 140, 3, 3}, window(3, 3, 1, 1)});
  return cases;
}

// How the elements of a tensor lie.
enum class Layout { row_major, channels_last, sliced };

Tensor random_tensor(const Shape& shape, DType dtype, Layout layout, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Shape lies = shape;
  if (layout == Layout::sliced) lies[shape.rank() - 1] = 2 * shape.back() + 1;
  Tensor whole = layout == Layout::channels_last ? empty_channels_last(lies, dtype) : Tensor::empty(lies, dtype);
  dispatch_floating("random", dtype, [&]<class T>() {
    for (int64_t i = 0; i < whole.numel(); ++i) static_cast<T*>(whole.raw())[i] = static_cast<T>(uniform(engine));
  });
  if (layout != Layout::sliced) return whole;
  Shape strides = whole.strides();
  strides[shape.rank() - 1] *= 2;
  return Tensor::view(whole.node().storage, 1, shape, strides, dtype);
}

struct Reference {
  std::vector<double> output, input_grad, weight_grad;
};

// The definition, in double: every pass in one walk over all products.
Reference reference(const Case& t, const Shape& output, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& gradient) {
  const auto xs = x.to_vector<double>(), ws = weight.to_vector<double>(), gs = gradient.to_vector<double>();
  const auto bs = bias.defined() ? bias.to_vector<double>() : std::vector<double>(static_cast<size_t>(output[1]));
  Reference r{std::vector<double>(gs.size()), std::vector<double>(xs.size()), std::vector<double>(ws.size())};
  const int64_t inputs = t.weight[1], outputs = t.weight[0] / t.groups;
  size_t out = 0;
  for (int64_t n = 0; n < output[0]; ++n)
    for (int64_t o = 0; o < output[1]; ++o)
      for (int64_t i = 0; i < output[2]; ++i)
        for (int64_t j = 0; j < output[3]; ++j, ++out) {
          r.output[out] = bs[static_cast<size_t>(o)];
          for (int64_t c = 0; c < inputs; ++c)
            for (int64_t a = 0; a < t.weight[2]; ++a)
              for (int64_t b = 0; b < t.weight[3]; ++b) {
                const int64_t h = i * t.window.stride[0] - t.window.padding_before[0] + a * t.window.dilation[0];
                const int64_t w = j * t.window.stride[1] - t.window.padding_before[1] + b * t.window.dilation[1];
                if (h < 0 || h >= t.input[2] || w < 0 || w >= t.input[3]) continue;
                const auto at = static_cast<size_t>(((n * t.input[1] + o / outputs * inputs + c) * t.input[2] + h) * t.input[3] + w);
                const auto tap = static_cast<size_t>(((o * inputs + c) * t.weight[2] + a) * t.weight[3] + b);
                r.output[out] += xs[at] * ws[tap];
                r.input_grad[at] += gs[out] * ws[tap];
                r.weight_grad[tap] += gs[out] * xs[at];
              }
        }
  return r;
}

void expect_close(const Tensor& actual, const std::vector<double>& expected, const char* what) {
  const double tolerance = actual.dtype() == f64 ? 1e-13 : winograd() ? 2e-5 : 2e-6;
  const auto values = actual.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  double largest = 0, error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    error = std::isnan(values[i]) ? INFINITY : std::max(error, std::abs(values[i] - expected[i]));
  }
  EXPECT_LE(error, tolerance * largest) << what;
}

void expect_channels_last(const Tensor& x) { EXPECT_TRUE(x.numel() == 0 || channels_last(x).raw() == x.raw()); }

void check(const Case& t, DType dtype, Layout layout, bool with_bias) {
  const Tensor x = random_tensor(t.input, dtype, layout, 1), weight = random_tensor(t.weight, dtype, layout, 2);
  const Tensor bias = with_bias ? random_tensor({t.weight[0]}, dtype, layout == Layout::sliced ? layout : Layout::row_major, 3) : Tensor{};
  const Shape output = conv2d_output_shape(t.input, t.weight, t.window, t.groups);
  const Tensor gradient = random_tensor(output, dtype, layout, 4);
  const Reference expected = reference(t, output, x, weight, bias, gradient);

  const Tensor y = conv2d(x, weight, bias, t.window, t.groups);
  ASSERT_EQ(y.shape(), output);
  expect_channels_last(y);
  expect_close(y, expected.output, "output");
  const Tensor input_grad = conv2d_input_grad(gradient, weight, t.input, t.window, t.groups);
  ASSERT_EQ(input_grad.shape(), t.input);
  expect_channels_last(input_grad);
  expect_close(input_grad, expected.input_grad, "input gradient");
  // Added to what is there: a tensor that somebody holds, which stays as it is, and one that nobody does.
  Tensor sum = random_tensor(t.input, dtype, layout, 5);
  const std::vector<double> before = sum.to_vector<double>();
  std::vector<double> total = expected.input_grad;
  std::transform(total.begin(), total.end(), before.begin(), total.begin(), std::plus<>());
  expect_close(conv2d_input_grad(gradient, weight, t.input, t.window, t.groups, sum), total, "input gradient added to a tensor");
  EXPECT_EQ(sum.to_vector<double>(), before);
  expect_close(conv2d_input_grad(gradient, weight, t.input, t.window, t.groups, std::move(sum)), total, "input gradient added in place");
  const Tensor weight_grad = conv2d_weight_grad(gradient, x, t.weight, t.window, t.groups);
  ASSERT_EQ(weight_grad.shape(), t.weight);
  EXPECT_TRUE(weight_grad.is_contiguous());
  expect_close(weight_grad, expected.weight_grad, "weight gradient");
}

class Conv2d : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override {
    set_thread_count(threads_);
    set_winograd(true);
  }

 private:
  int threads_ = thread_count();
};

// Whether Winograd's method may have a part in it.
bool is_3x3(const Case& t) { return t.window.kernel == Window2d::Pair{3, 3} && t.window.stride == Window2d::Pair{1, 1}; }

TEST_P(Conv2d, AgreesWithTheDefinition) {
  set_winograd(false);
  check(GetParam(), f32, Layout::channels_last, false);
  check(GetParam(), f32, Layout::row_major, true);
  check(GetParam(), f32, Layout::sliced, false);
  check(GetParam(), f64, Layout::channels_last, true);
  check(GetParam(), f64, Layout::sliced, false);
  set_winograd(true);
  if (!is_3x3(GetParam())) return;
  check(GetParam(), f32, Layout::channels_last, true);
  check(GetParam(), f32, Layout::sliced, false);
}

void expect_same_bits(const Tensor& a, const Tensor& b, const char* what) {
  EXPECT_TRUE(a.numel() == 0 || std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0) << what;
}

TEST_P(Conv2d, DoesNotDependOnTheNumberOfThreads) {
  const Case& t = GetParam();
  if (t.input[0] == 0) return;
  for (const DType dtype : {f32, f64}) {
    const Tensor x = random_tensor(t.input, dtype, Layout::channels_last, 1), weight = random_tensor(t.weight, dtype, Layout::row_major, 2);
    const Shape output = conv2d_output_shape(t.input, t.weight, t.window, t.groups);
    const Tensor gradient = random_tensor(output, dtype, Layout::channels_last, 4);
    Tensor results[3][3];
    for (const int threads : {1, 2, 3}) {
      set_thread_count(threads);
      results[threads - 1][0] = conv2d(x, weight, {}, t.window, t.groups);
      results[threads - 1][1] = conv2d_input_grad(gradient, weight, t.input, t.window, t.groups);
      results[threads - 1][2] = conv2d_weight_grad(gradient, x, t.weight, t.window, t.groups);
    }
    for (const int other : {1, 2}) {
      expect_same_bits(results[0][0], results[other][0], "output");
      expect_same_bits(results[0][1], results[other][1], "input gradient");
      expect_same_bits(results[0][2], results[other][2], "weight gradient");
    }
  }
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  std::string name = text(info.param.name, " ", info.index);
  std::erase(name, ',');
  for (char& c : name)
    if (c == ' ') c = '_';
  return name;
}

void PrintTo(const Case& t, std::ostream* out) { *out << text(t.name, ": ", t.input, " by ", t.weight); }

INSTANTIATE_TEST_SUITE_P(Kernels, Conv2d, testing::ValuesIn(make_cases()), name_of_case);

TEST(Conv2dErrors, NameWhatIsWrong) {
  const auto message = [](const Shape& input, const Shape& weight, const Window2d& w, int64_t groups = 1) -> std::string {
    try {
      conv2d_output_shape(input, weight, w, groups);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 3, 1, 0)), "none");
  EXPECT_NE(message({1, 1, 4, 2}, {1, 1, 3, 3}, window(3, 3, 1, 0)).find("larger than the padded input"), std::string::npos);
  EXPECT_NE(message({1, 1, 0, 4}, {1, 1, 3, 3}, window(3, 3, 1, 0)).find("larger than the padded input"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 3, 1, 0, 2)).find("larger than the padded input"), std::string::npos);
  EXPECT_NE(message({1, 4, 4, 4}, {6, 1, 1, 1}, window(1, 1, 1, 0), 3).find("3 groups don't divide"), std::string::npos);
  EXPECT_NE(message({1, 4, 4, 4}, {6, 4, 1, 1}, window(1, 1, 1, 0), 0).find("0 groups"), std::string::npos);
  EXPECT_NE(message({1, 4, 4, 4}, {6, 3, 1, 1}, window(1, 1, 1, 0)).find("expected a weight [O, 4, KH, KW]"), std::string::npos);
  EXPECT_NE(message({1, 4, 4}, {6, 4, 1, 1}, window(1, 1, 1, 0)).find("[1, 4, 4]"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 2, 1, 0)).find("window is 3 x 2"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 3, 0, 0)).find("at least 1"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 3, 1, -1)).find("at least 0"), std::string::npos);
  EXPECT_NE(message({1, 1, 4, 4}, {1, 1, 3, 3}, window(3, 3, 1, int64_t{1} << 62)).find("2^31"), std::string::npos);
  const Tensor x = Tensor::empty({1, 1, 4, 4}), weight = Tensor::empty({2, 1, 3, 3});
  EXPECT_THROW(conv2d(x, Tensor::empty({2, 1, 3, 3}, f64), {}, window(3, 3, 1, 0)), Error);
  EXPECT_THROW(conv2d(x, weight, Tensor::empty({3}), window(3, 3, 1, 0)), Error);
  EXPECT_THROW(conv2d_input_grad(x, weight, {1, 1, 4, 4}, window(3, 3, 1, 0)), Error);
  EXPECT_THROW(conv2d_weight_grad(x, x, {2, 1, 3, 3}, window(3, 3, 1, 0)), Error);
}

TEST(Conv2dMemory, ComesFromThePoolOnceItIsWarm) {
  int64_t calls = 0;
  for (int round = 0; round < 4; ++round) {
    if (round == 2) calls = memory::statistics().system_calls;
    for (const auto& [input, weight] : {std::pair{Shape{16, 6, 12, 12}, Shape{10, 6, 5, 5}}, std::pair{Shape{3, 16, 12, 12}, Shape{32, 16, 5, 5}},
                                        std::pair{Shape{3, 6, 12, 12}, Shape{10, 6, 5, 5}}}) {
      const Window2d v = window(5, 5, 1, 2);
      const Tensor x = random_tensor(input, f32, Layout::row_major, 1), w = random_tensor(weight, f32, Layout::row_major, 2), y = conv2d(x, w, {}, v);
      conv2d_input_grad(y, w, input, v);
      conv2d_weight_grad(y, x, weight, v);
    }
  }
  EXPECT_EQ(memory::statistics().system_calls, calls);
}

TEST(Winograd, IsASettingThatChangesRoundingOnly) {
  const Tensor x = random_tensor({2, 32, 16, 16}, f32, Layout::channels_last, 1), weight = random_tensor({32, 32, 3, 3}, f32, Layout::row_major, 2);
  ASSERT_TRUE(winograd());
  const Tensor with = conv2d(x, weight, {}, window(3, 3, 1, 1));
  set_winograd(false);
  const Tensor without = conv2d(x, weight, {}, window(3, 3, 1, 1));
  set_winograd(true);
  EXPECT_NE(with.to_vector<float>(), without.to_vector<float>());
  expect_close(with, without.to_vector<double>(), "output");
}

TEST(ChannelsLast, ConvertsOnceAndKeepsWhatLiesSo) {
  const Tensor x = random_tensor({2, 3, 4, 5}, f32, Layout::row_major, 1);
  const Tensor y = channels_last(x);
  EXPECT_EQ(y.strides(), (Shape{60, 1, 15, 3}));
  EXPECT_EQ(x.to_vector<float>(), y.to_vector<float>());
  EXPECT_TRUE(same_node(channels_last(y), y));
  const Tensor plane = random_tensor({2, 1, 4, 5}, f32, Layout::row_major, 1);
  EXPECT_TRUE(same_node(channels_last(plane), plane));
  EXPECT_TRUE(empty_channels_last({2, 1, 4, 5}, f32).is_contiguous());
  EXPECT_TRUE(empty_channels_last({2, 7, 1, 1}, f32).is_contiguous());
}

}  // namespace
}  // namespace scry::kernels
