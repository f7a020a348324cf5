#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// How a step goes from h to h' (and c to c'), given gates a = its input's part, b = W h + bias:
/// tanh, relu: h' = f(a + b).
/// lstm: i, f, g, o of a + b: c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c').
/// gru: r, z, n: h' = (1 - z) n + z h with r = sigmoid(a_r + b_r), z likewise, n = tanh(a_n + r b_n).
enum class Cell : uint8_t { tanh, relu, lstm, gru };
constexpr int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

/// A layer of a recurrent network, run over the steps of a batch. H units, T steps, B sequences; f32 or f64.
struct Recurrence {
  Cell cell;
  bool reverse = false;  ///< from the last step to the first
  Tensor lengths = {};   ///< i64 [B]: steps from there on leave a sequence's state as it is; undefined where all are full
};

/// PyTorch's names: w_ih [gates H, I], w_hh [gates H, H], b_ih and b_hh [gates H] or undefined.
struct RecurrentParameters {
  Tensor w_ih, w_hh, b_ih, b_hh;
};

struct RecurrentStates {
  /// [T + 1, B, H], for lstm [T + 2, B, H]: h0 and the state after every step (h0 first, or last where it runs in reverse), then the last c.
  Tensor states;
  /// For the gradients: the gates' values, [T, B, gates H and some room], for lstm and gru.
  Tensor gates;
  /// For the gradients: lstm: every c, as `states`; gru: b_n, [T, B, H].
  Tensor extra;
};

/// x: [T, B, I] of any layout, h, c: [B, H], or undefined for zeros. Without `keep` nothing is kept for the gradients.
RecurrentStates recurrent(const Recurrence& layer, const Tensor& x, const RecurrentParameters& weights, const Tensor& h, const Tensor& c, bool keep);

struct RecurrentGradients {
  Tensor input;   ///< of the gates' input part, [T, B, gates H], rows some room apart
  Tensor hidden;  ///< of W h + bias; the same tensor but for gru
  Tensor h, c;    ///< of the first states, where they are wanted
  Tensor x;       ///< where it is wanted
};
struct RecurrentWanted {
  bool x, first;
};
/// Given a gradient g of `states`, and what recurrent() kept. The `last` call may write over that.
RecurrentGradients recurrent_gradients(const Recurrence& layer, const Tensor& g, const RecurrentStates& saved, const RecurrentParameters& weights,
                                       RecurrentWanted wanted, bool last);

}  // namespace scry::kernels
