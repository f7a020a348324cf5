#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// Recurrent layers with PyTorch's gates, in its order: i, f, g, o for an LSTM (Hochreiter and Schmidhuber 1997), r, z, n for a GRU (Cho et al. 2014).
// T steps, B sequences, I inputs, H units, G = 4, 3 or 1 gates; f32 or f64, all of one type.

struct RecurrentWeights {
  Tensor input;                              ///< [G H, I]
  Tensor hidden;                             ///< [G H, H], or [4 H, P] with a projection
  Tensor input_bias = {}, hidden_bias = {};  ///< [G H], each may be undefined
  Tensor projection = {};                    ///< lstm: [P, H]: what the next step and the output see of h (Sak et al. 2014)
  Tensor peephole = {};                      ///< lstm: [3, H]: factors of c in the gates i, f and (of the new c) o (Gers et al. 2002)
};

/// f(W x + b + U h + b'), f = tanh or relu. x: [B, I], h: [B, H].
Tensor rnn_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool relu = false);

struct LstmState {
  Tensor h, c;
};
/// c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').
LstmState lstm_cell(const Tensor& x, const LstmState& state, const RecurrentWeights& weights);

/// h' = (1 - z) n + z h with n = tanh(W x + b + r (U h + b')); or, with `reset_before`, tanh(W x + b + U (r h) + b').
Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool reset_before = false);

struct RecurrentOptions {
  bool reverse = false;       ///< from the last step to the first
  Tensor lengths = {};        ///< i64 [B] in [0, T]: the steps of each sequence; undefined where all have T
  bool reset_before = false;  ///< gru: see gru_cell
};

struct RecurrentResult {
  Tensor output;  ///< h after every step, [T, B, H]; zeros past a sequence's end
  Tensor h, c;    ///< after each sequence's last step, [B, H]; c for an LSTM
};

/// A layer in one direction: the cell at every step of x: [T, B, I], from a first state of shape [B, H], zeros where undefined. In one node of the
/// tape, with one product for the input's part of all steps and one for each gradient of a weight.
RecurrentResult rnn(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, bool relu = false, const RecurrentOptions& options = {});
RecurrentResult lstm(const Tensor& x, const LstmState& state, const RecurrentWeights& weights, const RecurrentOptions& options = {});
RecurrentResult gru(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, const RecurrentOptions& options = {});

}  // namespace scry
