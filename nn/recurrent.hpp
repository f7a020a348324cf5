#pragma once

#include <scry/autograd/ops/recurrent.hpp>
#include <scry/nn/module.hpp>

// Recurrent networks, with PyTorch's options, gates and parameter names: weight_ih_l0 [G H, I], weight_hh_l0 [G H, H], bias_ih_l0 and bias_hh_l0 [G
// H], the same for l1, …, and with the ending _reverse for the other direction. Initialisation: uniform ±1/√H.
namespace scry::nn {

struct LSTMOptions {
  int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;    ///< inputs and outputs are [B, T, …] instead of [T, B, …]
  double dropout = 0;          ///< in training, on the outputs of every layer but the last
  bool bidirectional = false;  ///< a second network runs backwards; outputs lie side by side
  int64_t proj_size = 0;       ///< LSTM: if above 0, states and outputs are projected to that size by weight_hr_l0 [P, H]
  DType dtype = f32;
};
using GRUOptions = LSTMOptions;

struct RNNOptions : LSTMOptions {
  bool relu = false;  ///< the nonlinearity, else tanh
};

/// What the three have in common. Inputs: [T, B, I], [B, T, I] with batch_first, or [T, I] for one sequence. States: [layers directions, B, H],
/// without B for one sequence; zeros where not given. `lengths`, i64 [B]: the steps of each sequence in a padded batch, in any order; outputs past
/// them are zeros, the last states those of the last real steps (PyTorch's packed sequences).
class RecurrentStack {
 public:
  using Step =
      std::function<RecurrentResult(const Tensor& x, const LstmState& state, const RecurrentWeights& weights, const RecurrentOptions& options)>;
  using Declare = std::function<Tensor(const std::string& name, const Tensor& value)>;

  RecurrentStack(const char* kind, int64_t gates, int64_t inputs, int64_t units, const LSTMOptions& options, const Declare& declare);
  RecurrentResult run(const Tensor& x, const LstmState& state, const Tensor& lengths, bool training, const Step& step) const;
  std::string describe() const;

  const RecurrentWeights& weights(int64_t layer, bool reverse = false) const;

 private:
  const char* kind_;
  int64_t inputs_, units_;
  LSTMOptions options_;
  std::vector<RecurrentWeights> weights_;
};

/// h' = f(W x + b + U h + b'). Returns the outputs [T, B, directions H] and the last h.
struct RNN : Module<RNN> {
  RNN(int64_t inputs, int64_t units, const RNNOptions& options = {});
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h = {}, const Tensor& lengths = {}) const;
  using Module::operator();
  std::pair<Tensor, Tensor> operator()(const Tensor& x, const Tensor& h, const Tensor& lengths = {}) const {
    return Module::operator()(x, h, lengths);
  }
  std::string describe() const { return stack.describe(); }

  RNNOptions options;
  RecurrentStack stack;
};

/// See scry::lstm. Returns the outputs and the last h and c: `const auto [y, state] = lstm(x);`
struct LSTM : Module<LSTM> {
  LSTM(int64_t inputs, int64_t units, const LSTMOptions& options = {});
  std::pair<Tensor, LstmState> forward(const Tensor& x, const LstmState& state = {}, const Tensor& lengths = {}) const;
  using Module::operator();
  /// As the call of any module, with a state in braces: `lstm(x, {h, c})`.
  std::pair<Tensor, LstmState> operator()(const Tensor& x, const LstmState& state, const Tensor& lengths = {}) const {
    return Module::operator()(x, state, lengths);
  }
  std::string describe() const { return stack.describe(); }

  RecurrentStack stack;
};

/// See scry::gru. Returns the outputs and the last h.
struct GRU : Module<GRU> {
  GRU(int64_t inputs, int64_t units, const GRUOptions& options = {});
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h = {}, const Tensor& lengths = {}) const;
  using Module::operator();
  std::pair<Tensor, Tensor> operator()(const Tensor& x, const Tensor& h, const Tensor& lengths = {}) const {
    return Module::operator()(x, h, lengths);
  }
  std::string describe() const { return stack.describe(); }

  RecurrentStack stack;
};

struct CellOptions {
  bool bias = true;
  bool relu = false;  ///< RNNCell: the nonlinearity, else tanh
  DType dtype = f32;
};

// One step. x: [B, I] or [I], states [B, H] or [H], zeros where not given. Parameters: weight_ih, weight_hh, bias_ih, bias_hh.
struct RNNCell : Module<RNNCell> {
  RNNCell(int64_t inputs, int64_t units, const CellOptions& options = {});
  Tensor forward(const Tensor& x, const Tensor& h = {}) const;

  CellOptions options;
  RecurrentWeights weights;
};
struct LSTMCell : Module<LSTMCell> {
  LSTMCell(int64_t inputs, int64_t units, const CellOptions& options = {});
  LstmState forward(const Tensor& x, const LstmState& state = {}) const;
  using Module::operator();
  LstmState operator()(const Tensor& x, const LstmState& state) const { return Module::operator()(x, state); }

  RecurrentWeights weights;
};
struct GRUCell : Module<GRUCell> {
  GRUCell(int64_t inputs, int64_t units, const CellOptions& options = {});
  Tensor forward(const Tensor& x, const Tensor& h = {}) const;

  RecurrentWeights weights;
};

}  // namespace scry::nn
