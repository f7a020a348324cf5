#include "support.hpp"

#include <gmock/gmock.h>

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <cmath>
#include <ctime>

namespace scry {
namespace {

using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Indexing, AtReadsAsNumpy) {
  const Tensor x = reshape(arange(24), {2, 3, 4});
  EXPECT_EQ(x.at({1, 2, 3}).item<int64_t>(), 23);
  EXPECT_EQ(x.at({ellipsis, -1}).shape(), (Shape{2, 3}));
  EXPECT_EQ(x.at({ellipsis}).shape(), x.shape());
  EXPECT_THAT(x.at({0, Slice{2, to_end, -1}, 0}).to_vector<int64_t>(), ElementsAre(8, 4, 0));
  EXPECT_EQ(x.at({newaxis, 0, ellipsis, newaxis}).shape(), (Shape{1, 3, 4, 1}));
  EXPECT_EQ(x.at({Slice{5, 9}}).shape(), (Shape{0, 3, 4}));
  EXPECT_EQ(x.at({0}).raw(), x.raw());
  EXPECT_THAT(message_of([&] { x.at({0, 0, 0, 0}); }), HasSubstr("at: 4 indices for a tensor of shape [2, 3, 4]"));
  EXPECT_THAT(message_of([&] { x.at({ellipsis, 0, ellipsis}); }), HasSubstr("only one ellipsis"));
}

TEST(Indexing, ErrorsNameIndexAxisAndShape) {
  EXPECT_THAT(message_of([] {
                index_select(zeros({2, 3}), tensor({0, 7}), 1);
              }),
              HasSubstr("index_select: index 7 is out of range for axis 1 of shape [2, 3]"));
  EXPECT_THAT(message_of([] { gather(zeros({2, 3}), zeros({2, 3}), 1); }), HasSubstr("expected an index of i64, got f32"));
  EXPECT_THAT(message_of([] { embedding(tensor({-1}), zeros({2, 3})); }), HasSubstr("index -1"));
  EXPECT_THAT(message_of([] { pad(zeros({3}), {3, 0}, {.mode = PadMode::reflect}); }), HasSubstr("reach beyond"));
  EXPECT_THAT(message_of([] { repeat(zeros({3}), {INT64_MAX}); }), HasSubstr("too many elements"));
}

TEST(Indexing, ManyViewsOfOneTensorGatherTheirGradientsInPlace) {
  constexpr int64_t steps = 2000, width = 2000;
  const Tensor x = ones({steps, width}).requires_grad_();
  const auto loss = [&] {
    Tensor total = zeros({width});
    for (const Tensor& step : unbind(x * 1.0)) total = total + step * step;
    return sum(total);
  };
  const std::clock_t start = std::clock();
  loss().backward();
  EXPECT_EQ(x.grad()[steps - 1][7].item(), 2);
  const Tensor g = grad(loss(), x, {.create_graph = true});
  EXPECT_EQ(grad(sum(g * g), x)[3][7].item(), 8);
  // Zeros of the whole for every part would be 32 GB in each of the passes.
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 5);
}

TEST(Indexing, APartsGradientLeavesOthersGradientsAlone) {
  // The gradient that arrives first is shared with that of `a`, so the part's must not be added into it.
  const Tensor a = ones({3, 2}).requires_grad_(), x = ones({3, 2}).requires_grad_();
  const Tensor y = x * 1.0;
  const Tensor part = sum(y[1]), whole = sum((y + a * 1.0) * 5.0);
  (part + whole).backward();
  EXPECT_THAT(a.grad().to_vector<double>(), ElementsAre(5, 5, 5, 5, 5, 5));
  EXPECT_THAT(x.grad().to_vector<double>(), ElementsAre(5, 5, 6, 6, 5, 5));
}

TEST(Indexing, SumsByIndexDoNotDependOnTheThreads) {
  Generator generator(3);
  const Tensor index = randint(0, 50, {20000}, generator), values = randn({20000, 100}, f32, generator);
  const int before = thread_count();
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 3}) {
    set_thread_count(threads);
    results.push_back(index_add(zeros({50, 100}), index, values, 0).to_vector<float>());
    const std::vector<float> line = scatter_add(zeros({50}), index, select(values, 1, 0), 0).to_vector<float>();
    results.back().insert(results.back().end(), line.begin(), line.end());
  }
  set_thread_count(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Indexing, PaddingRowsGetNoGradient) {
  const Tensor weight = ones({3, 2}).requires_grad_();
  embedding(tensor({0, 2, 2, 1}), weight, -1).backward(ones({4, 2}));
  EXPECT_THAT(weight.grad().to_vector<double>(), ElementsAre(1, 1, 1, 1, 0, 0));
}

TEST(Indexing, OnlyTheValueThatStaysGetsAGradient) {
  const Tensor x = zeros({3}).requires_grad_(), values = ones({3}).requires_grad_();
  scatter(x, tensor({1, 1, 0}), values, 0).backward(tensor({2.0, 3.0, 4.0}));
  EXPECT_THAT(x.grad().to_vector<double>(), ElementsAre(0, 0, 4));
  EXPECT_THAT(values.grad().to_vector<double>(), ElementsAre(0, 3, 2));
}

TEST(Indexing, WithoutGradients) {
  EXPECT_THAT(nonzero(tensor({{0.0, 2.0}, {NAN, -0.0}})).to_vector<int64_t>(), ElementsAre(0, 1, 1, 0));
  EXPECT_EQ(nonzero(scalar(1)).shape(), (Shape{1, 0}));
  EXPECT_EQ(nonzero(ones({70000})).size(0), 70000);
  EXPECT_THAT(one_hot(tensor({2, 0})).to_vector<int64_t>(), ElementsAre(0, 0, 1, 1, 0, 0));
  EXPECT_EQ(one_hot(tensor({2, 0}), 5, f32).shape(), (Shape{2, 5}));
  EXPECT_THAT(message_of([] { one_hot(tensor({2, -1})); }), HasSubstr("one_hot: index -1"));
  EXPECT_EQ(cat({ones({2}, i64), ones({1}, f32)}).dtype(), f32);
  EXPECT_THAT(split(arange(5), 2)[2].to_vector<int64_t>(), ElementsAre(4));
  EXPECT_EQ(chunk(zeros({5}), 4).size(), 3u);
  EXPECT_EQ(split(zeros({0}), 2).size(), 1u);
  EXPECT_EQ(view(zeros({2, 3}), {3, 2}).shape(), (Shape{3, 2}));
  EXPECT_THAT(masked_fill(tensor({1, 2, 3}), tensor({true, false, true}), 9).to_vector<int64_t>(), ElementsAre(9, 2, 9));
  EXPECT_THAT(pad(tensor({1, 2, 3}), {1, -1}).to_vector<int64_t>(), ElementsAre(0, 1, 2));
  EXPECT_THAT(index_add(zeros({2}, u8), tensor({1, 1}), full({2}, 200, u8), 0).to_vector<int64_t>(), ElementsAre(0, 144));
}

}  // namespace
}  // namespace scry
