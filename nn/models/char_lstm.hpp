#pragma once

#include <scry/nn/embedding.hpp>
#include <scry/nn/linear.hpp>
#include <scry/nn/recurrent.hpp>

namespace scry::nn {

struct CharLstmOptions {
  int64_t vocabulary = 64;
  int64_t embedding = 128;
  int64_t units = 256;
  int64_t layers = 1;
  double dropout = 0;  ///< in training, between layers
};

/// Predicts the next character at every place of a text: Graves, "Generating Sequences With Recurrent Neural Networks", 2013, in its plainest
/// form. Characters are numbers below `vocabulary`. 419,904 parameters for the defaults.
struct CharLstm : Module<CharLstm> {
  explicit CharLstm(const CharLstmOptions& options = {});
  /// i64 [N, T] -> logits [N, T, vocabulary].
  Tensor forward(const Tensor& characters) const { return continued(characters, {}).first; }
  /// The same for a text that goes on from a state, and the state after it.
  std::pair<Tensor, LstmState> continued(const Tensor& characters, const LstmState& state) const;

  Embedding embed;
  LSTM lstm;
  Linear head;
};

}  // namespace scry::nn
