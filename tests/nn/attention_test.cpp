// MultiheadAttention, TransformerEncoderLayer, TransformerEncoder, positions. Attention itself is checked in the op table.

#include <cmath>

#include "nn/layer_checks.hpp"

namespace scry::nn {
namespace {

using namespace scry::test;

std::vector<std::string> names(const ModuleBase& module) {
  std::vector<std::string> out;
  for (const NamedTensor& p : module.named_parameters()) out.push_back(p.name);
  return out;
}

TEST(MultiheadAttention, ParametersAreNamedAsInPyTorch) {
  EXPECT_EQ(names(MultiheadAttention(4, 2)), (std::vector<std::string>{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"}));
  EXPECT_EQ(names(MultiheadAttention(4, 2, {.bias = false, .kdim = 3})),
            (std::vector<std::string>{"q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"}));
  EXPECT_EQ(MultiheadAttention(4, 2).out_proj.bias.to_vector<float>(), std::vector<float>(4, 0));
}

// Head by head, out of plain products.
Tensor by_hand(const MultiheadAttention& layer, const Tensor& x, const Tensor& hidden) {
  const int64_t width = layer.width, size = width / layer.heads;
  const Tensor qkv = linear(x, layer.in_proj_weight, layer.in_proj_bias);
  std::vector<Tensor> heads;
  for (int64_t h = 0; h < layer.heads; ++h) {
    const auto part = [&](int64_t i) { return narrow(qkv, -1, i * width + h * size, size); };
    Tensor scores = matmul(part(0), transpose(part(1), -1, -2)) / std::sqrt(static_cast<double>(size));
    scores = masked_fill(scores, hidden, -1e30);
    heads.push_back(matmul(softmax(scores, -1), part(2)));
  }
  return linear(cat(heads, -1), layer.out_proj.weight, layer.out_proj.bias);
}

TEST(MultiheadAttention, ValuesAndMasks) {
  const MultiheadAttention layer(6, 2, {.batch_first = true, .dtype = f64});
  const Tensor x = uniform({2, 4, 6}, -1, 1, f64);
  const Tensor later = logical_not(tril(ones({4, 4}, boolean))), padding = tensor({{false, false, false, true}, {false, true, false, false}});
  expect_close(layer(x, x, x), by_hand(layer, x, zeros({4, 4}, boolean)), 1e-12);
  expect_close(layer(x, x, x, {.is_causal = true}), by_hand(layer, x, later), 1e-12);
  expect_close(layer(x, x, x, {.attn_mask = later}), by_hand(layer, x, later), 1e-12);
  expect_close(layer(x, x, x, {.attn_mask = masked_fill(zeros({4, 4}, f64), later, -INFINITY)}), by_hand(layer, x, later), 1e-12);
  expect_close(layer(x, x, x, {.key_padding_mask = padding}), by_hand(layer, x, unsqueeze(padding, 1)), 1e-12);
  expect_close(layer(x, x, x, {.key_padding_mask = padding, .attn_mask = later}), by_hand(layer, x, logical_or(unsqueeze(padding, 1), later)), 1e-12);
  const Tensor numbers = masked_fill(zeros({4, 4}, f64), later, -INFINITY);
  expect_close(layer(x, x, x, {.key_padding_mask = padding, .attn_mask = numbers}), by_hand(layer, x, logical_or(unsqueeze(padding, 1), later)),
               1e-12);
  expect_close(layer(x, x, x, {.attn_mask = expand(later, {4, 4, 4})}), by_hand(layer, x, later), 1e-12);
  // As three tensors, in other layouts, and alone.
  expect_close(layer(x, clone(x), clone(x)), layer(x, x, x), 1e-12);
  const MultiheadAttention length_first(6, 2, {.dtype = f64});
  length_first.load(layer);
  const Tensor turned = contiguous(transpose(x, 0, 1));
  expect_close(transpose(length_first(turned, turned, turned), 0, 1), layer(x, x, x), 1e-12);
  expect_close(layer(x[1], x[1], x[1]), layer(x, x, x)[1], 1e-12);
}

TEST(MultiheadAttention, Gradients) {
  check_gradients(MultiheadAttention(4, 2, {.dtype = f64}), {3, 2, 4},
                  [](const auto& layer, const Tensor& x) { return layer(x, x, x, MultiheadMasks{.is_causal = true}); });
  check_gradients(MultiheadAttention(4, 2, {.bias = false, .kdim = 3, .vdim = 2, .batch_first = true, .dtype = f64}), {2, 3, 4},
                  [](const auto& layer, const Tensor& x) { return layer(x, narrow(x, 2, 0, 3), narrow(x, 2, 1, 2)); });
}

TEST(MultiheadAttention, DropoutInTrainingOnly) {
  const MultiheadAttention layer(4, 2, {.dropout = 0.5});
  const Tensor x = rand({5, 2, 4});
  EXPECT_FALSE(same_bits(layer(x, x, x), layer(x, x, x)));
  layer.eval();
  EXPECT_TRUE(same_bits(layer(x, x, x), layer(x, x, x)));
}

TEST(MultiheadAttention, Errors) {
  EXPECT_FAILS(MultiheadAttention(5, 2), "nn.MultiheadAttention", "5", "2 heads");
  const MultiheadAttention layer(4, 2);
  const Tensor x = zeros({3, 2, 4});
  EXPECT_FAILS(layer(x, zeros({3, 2, 5}), x), "nn.MultiheadAttention 4, 2 heads", "[L, B, E]", "[3, 2, 5]");
  EXPECT_FAILS(layer(x, zeros({5, 2, 4}), x), "don't fit");
  EXPECT_FAILS(layer(zeros({4}), x, x), "nn.MultiheadAttention");
  EXPECT_FAILS(layer(x, x, x, {.key_padding_mask = zeros({2, 4}, boolean)}), "key_padding_mask", "[2, 3]");
  EXPECT_FAILS(layer(x, x, x, {.attn_mask = zeros({2, 3})}), "attn_mask", "[3, 3]", "[4, 3, 3]");
  EXPECT_FAILS(layer(x, x, x, {.attn_mask = zeros({3, 3}, i64)}), "i64");
  const Tensor doubles = zeros({3, 2, 4}, f64);
  EXPECT_FAILS(layer(doubles, doubles, doubles), "f64", "f32");
}

TEST(Transformer, LayersAreNamedAsInPyTorch) {
  const TransformerEncoder net(2, 4, 2, {.dim_feedforward = 6}, true);
  const std::vector<std::string> all = names(net);
  ASSERT_EQ(all.size(), 26u);
  EXPECT_EQ((std::vector<std::string>(all.begin(), all.begin() + 12)),
            (std::vector<std::string>{"layers.0.self_attn.in_proj_weight", "layers.0.self_attn.in_proj_bias", "layers.0.self_attn.out_proj.weight",
                                      "layers.0.self_attn.out_proj.bias", "layers.0.linear1.weight", "layers.0.linear1.bias",
                                      "layers.0.linear2.weight", "layers.0.linear2.bias", "layers.0.norm1.weight", "layers.0.norm1.bias",
                                      "layers.0.norm2.weight", "layers.0.norm2.bias"}));
  EXPECT_EQ(all.back(), "norm.bias");
}

TEST(Transformer, ALayerIsItsParts) {
  const Tensor x = uniform({3, 2, 4}, -1, 1, f64);
  for (const bool first : {false, true}) {
    const TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 6, .activation = FeedForward::gelu, .norm_first = first, .dtype = f64});
    layer.eval();
    const auto forward = [&](const Tensor& h) { return layer.linear2(gelu(layer.linear1(h))); };
    const auto attend = [&](const Tensor& h) { return layer.self_attn(h, h, h, MultiheadMasks{.is_causal = true}); };
    Tensor expected;
    if (first) {
      const Tensor h = x + attend(layer.norm1(x));
      expected = h + forward(layer.norm2(h));
    } else {
      const Tensor h = layer.norm1(x + attend(x));
      expected = layer.norm2(h + forward(h));
    }
    expect_close(layer(x, TransformerMasks{.is_causal = true}), expected, 1e-12);
    EXPECT_FALSE(layer.training() || layer.dropout2.training());
  }
}

TEST(Transformer, Gradients) {
  const TransformerEncoder net(1, 4, 2, {.dim_feedforward = 3, .dropout = 0, .batch_first = true, .norm_first = true, .dtype = f64}, true);
  check_gradients(net, {2, 3, 4});
  EXPECT_FAILS(TransformerEncoder(0, 4, 2), "at least one layer");
  EXPECT_FAILS(net(zeros({2, 3, 5}, f64)), "layers.0.norm1");
}

TEST(Positions, SinusoidsAreThoseOfThePaper) {
  const SinusoidalEncoding layer(6, 4, f64);
  const Tensor y = layer(zeros({2, 3, 4}, f64), 2);
  each_index(y.shape(), [&](std::span<const int64_t> i) {
    const double angle = static_cast<double>(i[1] + 2) / std::pow(10000, static_cast<double>(i[2] / 2) / 2);
    ASSERT_NEAR(element<double>(y, i), i[2] % 2 ? std::cos(angle) : std::sin(angle), 1e-14);
  });
  EXPECT_EQ(layer.named_buffers()[0].name, "pe");
  EXPECT_FAILS(layer(zeros({7, 4}, f64)), "SinusoidalEncoding", "positions 0 to 7");
  EXPECT_FAILS(layer(zeros({3, 5}, f64)), "[..., L, 4]");
}

TEST(Positions, LearnedOnesAreAdded) {
  const LearnedEncoding layer(6, 4, f64);
  expect_close(layer(ones({2, 3, 4}, f64), 1), narrow(layer.weight, 0, 1, 3) + ones({2, 3, 4}, f64), 1e-15);
  check_gradients(layer, {2, 3, 4});
}

// Products of turned vectors depend on the distance of their places alone, and lengths stay.
TEST(Positions, RotationsTellDistances) {
  const RotaryEncoding layer(40, 6, 10000, f64);
  const Tensor q = uniform({1, 6}, -1, 1, f64), k = uniform({1, 6}, -1, 1, f64);
  const auto product = [&](int64_t at_q, int64_t at_k) { return sum(layer(q, at_q) * layer(k, at_k)).item(); };
  EXPECT_NEAR(product(3, 7), product(21, 25), 1e-12);
  EXPECT_GT(std::abs(product(3, 7) - product(3, 8)), 1e-6);
  EXPECT_NEAR(norm(layer(q, 17)).item(), norm(q).item(), 1e-12);
  EXPECT_TRUE(same_bits(layer(q, 0), q));
  check_gradients(layer, {2, 3, 6});
  EXPECT_FAILS(RotaryEncoding(4, 3), "even");
}

}  // namespace
}  // namespace scry::nn
