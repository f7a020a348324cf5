// Errors beside those of the op table's rows: each names the op and what it was given.

#include "support.hpp"

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <cmath>

namespace scry {
namespace {

using test::message_of;

constexpr int64_t huge = int64_t{1} << 40, most = INT64_MAX;

struct Case {
  const char* op;
  void (*call)(const Tensor& x, const Tensor& y, const Tensor& i);  // floats [2, 3] and [4, 5], integers [2, 3]
  std::vector<const char*> told;                                    // parts of the message
};

const Case cases[] = {
    // Shapes.
    {"add", [](auto& x, auto& y, auto&) { x + y; }, {"[2, 3]", "[4, 5]"}},
    {"pow", [](auto& x, auto& y, auto&) { pow(x, y); }, {"[2, 3]", "[4, 5]"}},
    {"eq", [](auto& x, auto& y, auto&) { eq(x, y); }, {"[2, 3]", "[4, 5]"}},
    {"where", [](auto& x, auto& y, auto&) { where(gt(x, 0.0), x, y); }, {"[2, 3]", "[4, 5]"}},
    {"expand",
     [](auto& x, auto&, auto&) {
       expand(x, {5, 3});
     },
     {"[2, 3]", "[5, 3]"}},
    {"reshape",
     [](auto& x, auto&, auto&) {
       reshape(x, {-1, 4});
     },
     {"[2, 3]", "[-1, 4]"}},
    {"sum_to", [](auto& x, auto&, auto&) { sum_to(x, {5}); }, {"[2, 3]", "[5]"}},
    {"cat",
     [](auto& x, auto& y, auto&) {
       cat({x, y});
     },
     {"[2, 3]", "[4, 5]"}},
    {"stack",
     [](auto& x, auto& y, auto&) {
       stack({x, y});
     },
     {"[2, 3]", "[4, 5]"}},
    {"matmul", [](auto& x, auto& y, auto&) { matmul(x, y); }, {"[2, 3]", "[4, 5]"}},
    {"linear", [](auto& x, auto& y, auto&) { linear(x, y); }, {"[2, 3]", "[4, 5]"}},
    {"addmm", [](auto& x, auto& y, auto&) { addmm(y, x, transpose(x, 0, 1)); }, {"[4, 5]", "[2, 2]"}},
    {"mse_loss", [](auto& x, auto& y, auto&) { mse_loss(x, y); }, {"[2, 3]", "[4, 5]"}},
    {"layer_norm", [](auto& x, auto&, auto&) { layer_norm(x, {4}); }, {"[2, 3]", "[4]"}},
    {"index_add", [](auto& x, auto& y, auto&) { index_add(x, zeros({2}, i64), y, 0); }, {"[2, 3]", "[4, 5]"}},
    {"add_", [](auto& x, auto& y, auto&) { add_(x, y); }, {"[2, 3]", "[4, 5]"}},
    // Types.
    {"exp", [](auto&, auto&, auto& i) { exp(i); }, {"i64", "[2, 3]", "cast"}},
    {"matmul", [](auto& x, auto& y, auto&) { matmul(x, cast(y, f64)); }, {"f32", "f64", "[2, 3]", "[4, 5]"}},
    {"conv2d",
     [](auto& x, auto& y, auto&) {
       conv2d(reshape(x, {1, 1, 2, 3}), cast(reshape(y, {5, 4, 1, 1}), f64));
     },
     {"f64", "[5, 4, 1, 1]"}},
    {"mse_loss", [](auto& x, auto&, auto&) { mse_loss(x, cast(x, f64)); }, {"f32", "f64", "[2, 3]"}},
    {"prelu", [](auto& x, auto& y, auto&) { prelu(x, cast(y, f64)); }, {"f32", "f64", "[2, 3]", "[4, 5]"}},
    {"gather", [](auto& x, auto&, auto&) { gather(x, x, 0); }, {"i64", "f32", "[2, 3]"}},
    {"masked_fill", [](auto& x, auto&, auto& i) { masked_fill(x, i, 0); }, {"bool", "i64", "[2, 3]"}},
    // Axes.
    {"mean", [](auto& x, auto&, auto&) { mean(x, -4); }, {"axis -4", "rank 2"}},
    {"var",
     [](auto& x, auto&, auto&) {
       var(x, {0, 0});
     },
     {"axis 0", "twice"}},
    {"softmin", [](auto& x, auto&, auto&) { softmin(x, 2); }, {"axis 2", "rank 2"}},
    {"cumsum", [](auto& x, auto&, auto&) { cumsum(x, 2); }, {"axis 2", "rank 2"}},
    {"amax",
     [](auto&, auto&, auto&) {
       amax(zeros({0, 2}), 0);
     },
     {"axis 0", "[0, 2]"}},
    {"unsqueeze", [](auto&, auto&, auto&) { unsqueeze(zeros(Shape::filled(8, 1)), 0); }, {"8 axes"}},
    {"tile",
     [](auto& x, auto&, auto&) {
       tile(x, {1, 1, 1, 1, 1, 1, 1, 1, 1});
     },
     {"9 counts", "[2, 3]"}},
    // Indices.
    {"index_select", [](auto& x, auto&, auto&) { index_select(x, full({2}, 9, i64), 1); }, {"index 9", "axis 1", "[2, 3]"}},
    {"embedding", [](auto&, auto& y, auto& i) { embedding(i + 4, y); }, {"index 4", "[4, 5]"}},
    {"select", [](auto& x, auto&, auto&) { select(x, 0, 5); }, {"5", "[2, 3]"}},
    {"narrow", [](auto& x, auto&, auto&) { narrow(x, 0, 1, most); }, {"axis 0", "[2, 3]"}},
    {"cross_entropy", [](auto& x, auto&, auto&) { cross_entropy(x, full({2}, 8, i64)); }, {"label 8", "3 classes"}},
    {"topk", [](auto& x, auto&, auto&) { topk(x, 9); }, {"9", "[2, 3]"}},
    // Sizes that nothing holds.
    {"full",
     [](auto&, auto&, auto&) {
       zeros({most, most});
     },
     {"MiB", "[9223372036854775807, 9223372036854775807]"}},
    {"full",
     [](auto&, auto&, auto&) {
       ones({-1, 2});
     },
     {"[-1, 2]"}},
    {"uniform",
     [](auto&, auto&, auto&) {
       rand({huge, 64});
     },
     {"MiB", "[1099511627776, 64]", "f32"}},
    {"randn",
     [](auto&, auto&, auto&) {
       randn({huge, huge});
     },
     {"MiB", "[1099511627776, 1099511627776]"}},
    {"bernoulli", [](auto&, auto&, auto&) { bernoulli(Shape{huge}, 0.5); }, {"MiB", "[1099511627776]"}},
    {"randint", [](auto&, auto&, auto&) { randint(0, 3, {huge}); }, {"MiB", "i64"}},
    {"randperm", [](auto&, auto&, auto&) { randperm(huge); }, {"MiB"}},
    {"eye", [](auto&, auto&, auto&) { eye(huge); }, {"MiB", "[1099511627776, 1099511627776]"}},
    {"arange", [](auto&, auto&, auto&) { arange(0.0, 1e17); }, {"MiB", "[100000000000000000]"}},
    {"arange", [](auto&, auto&, auto&) { arange(int64_t{0}, most); }, {"MiB"}},
    {"linspace", [](auto&, auto&, auto&) { linspace(0, 1, most); }, {"MiB"}},
    {"expand",
     [](auto& x, auto&, auto&) {
       expand(x, {huge, huge, 2, 3});
     },
     {"[2, 3]", "[1099511627776, 1099511627776, 2, 3]"}},
    {"expand",
     [](auto& x, auto&, auto&) {
       expand(x, {-5, 2, 3});
     },
     {"[2, 3]", "[-5, 2, 3]"}},
    {"repeat",
     [](auto& x, auto&, auto&) {
       repeat(x, {huge, huge});
     },
     {"[2, 3]", "[1099511627776, 1099511627776]"}},
    {"repeat",
     [](auto& x, auto&, auto&) {
       repeat(x, {huge, 1});
     },
     {"MiB", "[2199023255552, 3]"}},
    {"tile",
     [](auto& x, auto&, auto&) {
       tile(x, {huge, huge});
     },
     {"[2, 3]"}},
    {"tile", [](auto& x, auto&, auto&) { tile(x, {-1}); }, {"[1, -1]", "[2, 3]"}},
    {"repeat_interleave", [](auto& x, auto&, auto&) { repeat_interleave(x, huge, 0); }, {"MiB", "[2199023255552, 3]"}},
    {"repeat_interleave", [](auto& x, auto&, auto&) { repeat_interleave(x, most, 0); }, {"[2, 3]"}},
    {"pad",
     [](auto& x, auto&, auto&) {
       pad(x, {huge, huge});
     },
     {"MiB", "[2, 2199023255555]"}},
    {"pad",
     [](auto& x, auto&, auto&) {
       pad(x, {huge, 0}, {.mode = PadMode::replicate});
     },
     {"MiB", "[2, 1099511627776]"}},
    {"pad",
     [](auto& x, auto&, auto&) {
       pad(x, {1, most});
     },
     {"axis 1", "[2, 3]"}},
    {"one_hot", [](auto&, auto&, auto& i) { one_hot(i, huge); }, {"MiB", "[2, 3, 1099511627776]"}},
    {"outer", [](auto&, auto&, auto&) { outer(expand(scalar(1), {huge}), expand(scalar(1), {huge})); }, {"MiB"}},
    {"interpolate",
     [](auto& x, auto&, auto&) {
       interpolate(reshape(x, {1, 1, 2, 3}), {.size = Pair{1 << 30, 1 << 30}});
     },
     {"MiB"}},
    {"adaptive_avg_pool2d",
     [](auto& x, auto&, auto&) {
       adaptive_avg_pool2d(reshape(x, {1, 1, 2, 3}), 1 << 30);
     },
     {"MiB"}},
    {"adaptive_max_pool2d",
     [](auto& x, auto&, auto&) {
       adaptive_max_pool2d(reshape(x, {1, 1, 2, 3}), 1 << 30);
     },
     {"MiB"}},
    {"conv_transpose2d",
     [](auto& x, auto&, auto&) { conv_transpose2d(reshape(x, {1, 1, 2, 3}), ones({1, 1, 2, 2}), {}, {.stride = 1 << 28}); },
     {"MiB", "[1, 1, 268435458, 536870914]"}},
};

TEST(Errors, NameTheOpAndWhatItWasGiven) {
  const Tensor x = randn({2, 3}), y = randn({4, 5}), i = zeros({2, 3}, i64);
  for (const Case& c : cases) {
    const std::string message = message_of([&] { c.call(x, y, i); });
    EXPECT_TRUE(message.starts_with(text(c.op, ": "))) << c.op << ": '" << message << "'";
    for (const char* part : c.told) EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' lacks " << part;
  }
}

TEST(Errors, OfAnAllocationTellTheShapeAndTheSize) {
  const Tensor wide = expand(scalar(1), {huge, 2});
  const std::pair<const char*, Tensor (*)(const Tensor&)> calls[] = {
      {"add", [](const Tensor& x) { return x + 1; }},
      {"contiguous", [](const Tensor& x) { return contiguous(x); }},
      {"softmax", [](const Tensor& x) { return softmax(x, 1); }},
      {"cumsum", [](const Tensor& x) { return cumsum(x, 0); }},
      {"matmul",
       [](const Tensor& x) {
         return matmul(x, ones({2, 2}));
       }},
  };
  for (const auto& [op, call] : calls) {
    const std::string message = message_of([&] { call(wide); });
    EXPECT_TRUE(message.starts_with(text(op, ": "))) << message;
    EXPECT_NE(message.find("[1099511627776, 2]"), std::string::npos) << message;
    EXPECT_NE(message.find("8.38861e+06 MiB"), std::string::npos) << message;
  }
}

TEST(Errors, NothingIsChangedByAnOpInPlaceThatFails) {
  const auto alike = [](const Tensor& a, const Tensor& b) { return a.to_vector<double>() == b.to_vector<double>(); };
  const Tensor wrong = ones({7}), none;
  using Call = void (*)(const Tensor& x, const Tensor& other);
  const Call binary[] = {[](auto& x, auto& o) { add_(x, o); },  [](auto& x, auto& o) { add_(x, o, 2); },
                         [](auto& x, auto& o) { sub_(x, o); },  [](auto& x, auto& o) { sub_(x, o, 2); },
                         [](auto& x, auto& o) { mul_(x, o); },  [](auto& x, auto& o) { div_(x, o); },
                         [](auto& x, auto& o) { copy_(x, o); }, [](auto& x, auto& o) { masked_fill_(x, o, 1); }};
  const Call unary[] = {
      [](auto& x, auto&) { add_(x, 0.5); }, [](auto& x, auto&) { sub_(x, 0.5); },  [](auto& x, auto&) { mul_(x, 0.5); },
      [](auto& x, auto&) { div_(x, 2); },   [](auto& x, auto&) { clamp_(x, {}); }, [](auto& x, auto&) { pow_(x, 0.5); },
      [](auto& x, auto&) { exp_(x); },      [](auto& x, auto&) { log_(x); },       [](auto& x, auto&) { sqrt_(x); },
      [](auto& x, auto&) { sigmoid_(x); },  [](auto& x, auto&) { tanh_(x); },
  };
  const Call always[] = {[](auto& x, auto&) { fill_(x, 3); },    [](auto& x, auto&) { zero_(x); },   [](auto& x, auto&) { neg_(x); },
                         [](auto& x, auto&) { abs_(x); },        [](auto& x, auto&) { square_(x); }, [](auto& x, auto&) { relu_(x); },
                         [](auto& x, auto&) { clamp_(x, 0, 1); }};
  const auto unchanged = [&](const Tensor& x, const Tensor& other, std::span<const Call> calls) {
    const Tensor before = clone(x.detach());
    const uint32_t version = x.node().storage->version();
    for (const Call& call : calls) {
      EXPECT_THROW(call(x, other), Error) << &call - calls.data();
      EXPECT_TRUE(alike(x.detach(), before)) << &call - calls.data();
      EXPECT_EQ(x.node().storage->version(), version) << &call - calls.data();
    }
  };
  const Tensor floats = randn({2, 3}), integers = full({2, 3}, 5, i64), leaf = randn({2, 3}).requires_grad_();
  unchanged(floats, wrong, binary);
  unchanged(floats, none, binary);
  unchanged(integers, none, unary);
  for (const std::span<const Call> calls : {std::span<const Call>(binary), std::span<const Call>(unary), std::span<const Call>(always)}) {
    unchanged(leaf, ones({2, 3}), calls);
    unchanged(leaf * 2, ones({2, 3}), calls);
    unchanged(expand(scalar(3), {4}), ones({4}), calls);
    for (const Call& call : calls) EXPECT_THROW(call(none, wrong), Error);
  }
}

}  // namespace
}  // namespace scry
