#include "nn/pytorch_cases.hpp"

namespace scry::nn::test {
namespace {

using In = const Tensors&;

// A module whose inputs and outputs `run` lists.
template <class Make, class Run>
Case with(const char* name, Make make, Run run) {
  return {name, [make, run] { return subject(make(), run); }};
}

// An RNN or a GRU, whose second output is the last state.
template <class Make>
Case recurrent(const char* name, Make make) {
  return with(name, make, [](const auto& model, In x) {
    const auto [y, h] = x.size() > 1 ? model(x[0], x[1]) : model(x[0]);
    return Tensors{y, h};
  });
}

Tensors lstm_outputs(const std::pair<Tensor, LstmState>& out) { return {out.first, out.second.h, out.second.c}; }

std::vector<Case> recurrent_cases() {
  return {
      recurrent("rnn", [] { return RNN(4, 5); }),
      recurrent("rnn_relu",
                [] {
                  return RNN(4, 5, {{.num_layers = 2, .bias = false}, true});
                }),
      recurrent("gru", [] { return GRU(4, 5, {.num_layers = 2, .batch_first = true, .bidirectional = true}); }),
      recurrent("gru_state", [] { return GRU(4, 5); }),
      with(
          "lstm", [] { return LSTM(4, 5); }, [](const auto& model, In x) { return lstm_outputs(model(x[0])); }),
      with(
          "lstm_wide", [] { return LSTM(20, 48, {.batch_first = true}); }, [](const auto& model, In x) { return lstm_outputs(model(x[0])); }),
      with(
          "lstm_state", [] { return LSTM(4, 5, {.num_layers = 2, .batch_first = true, .bidirectional = true}); },
          [](const auto& model, In x) {
            return lstm_outputs(model(x[0], LstmState{x[1], x[2]}));
          }),
      with(
          "lstm_projected", [] { return LSTM(4, 6, {.num_layers = 2, .proj_size = 3}); },
          [](const auto& model, In x) { return lstm_outputs(model(x[0])); }),
      with(
          "lstm_lengths", [] { return LSTM(4, 5, {.batch_first = true, .bidirectional = true}); },
          [](const auto& model, In x) { return lstm_outputs(model(x[0], LstmState{}, x[1])); }),
      with(
          "rnn_cell", [] { return RNNCell(4, 5); }, [](const auto& model, In x) { return Tensors{model(x[0], x[1])}; }),
      with(
          "gru_cell", [] { return GRUCell(4, 5); }, [](const auto& model, In x) { return Tensors{model(x[0], x[1])}; }),
      with(
          "lstm_cell", [] { return LSTMCell(4, 5); },
          [](const auto& model, In x) {
            const LstmState after = model(x[0], LstmState{x[1], x[2]});
            return Tensors{after.h, after.c};
          }),
  };
}

std::vector<Case> attention_cases() {
  const auto masked = [](const char* name, MultiheadMasks (*masks)(In), bool self) {
    return with(
        name, [] { return MultiheadAttention(8, 2, {.batch_first = true}); },
        [masks, self](const auto& model, In x) { return Tensors{model(x[0], self ? x[0] : x[1], self ? x[0] : x[1], masks(x))}; });
  };
  return {
      layer("embedding", [] { return Embedding(7, 3); }),
      layer("embedding_padding", [] { return Embedding(7, 3, {.padding_idx = 2}); }),
      masked(
          "attention_self", [](In) { return MultiheadMasks{}; }, true),
      masked(
          "attention_causal", [](In) { return MultiheadMasks{.is_causal = true}; }, true),
      masked(
          "attention_masks", [](In x) { return MultiheadMasks{.key_padding_mask = x[2], .attn_mask = x[3]}; }, false),
      with(
          "attention_sizes", [] { return MultiheadAttention(8, 4, {.bias = false, .kdim = 6, .vdim = 5}); },
          [](const auto& model, In x) { return Tensors{model(x[0], x[1], x[2])}; }),
      layer("transformer_layer", [] { return TransformerEncoderLayer(8, 2, {.dim_feedforward = 12, .dropout = 0}); }),
      layer("transformer_layer_norm_first",
            [] {
              return TransformerEncoderLayer(
                  8, 2, {.dim_feedforward = 12, .dropout = 0, .activation = FeedForward::gelu, .batch_first = true, .norm_first = true});
            }),
      with(
          "transformer", [] { return TransformerEncoder(2, 8, 2, {.dim_feedforward = 12, .dropout = 0, .batch_first = true}, true); },
          [](const auto& model, In x) { return Tensors{model(x[0], TransformerMasks{.mask = x[1], .src_key_padding_mask = x[2]})}; }),
      function("scaled_dot_product_attention", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }),
      function("scaled_dot_product_attention_causal",
               [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.causal = true, .scale = 0.3}); }),
      function("scaled_dot_product_attention_mask", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]}); }),
  };
}

}  // namespace

std::vector<Case> sequence_cases() {
  std::vector<Case> all = recurrent_cases();
  for (const Case& c : attention_cases()) all.push_back(c);
  return all;
}

}  // namespace scry::nn::test
