#include <scry/nn/models/char_lstm.hpp>

namespace scry::nn {

CharLstm::CharLstm(const CharLstmOptions& options)
    : embed(add("embed", Embedding{options.vocabulary, options.embedding})),
      lstm(add("lstm", LSTM{options.embedding, options.units, {.num_layers = options.layers, .batch_first = true, .dropout = options.dropout}})),
      head(add("head", Linear{options.units, options.vocabulary})) {}

std::pair<Tensor, LstmState> CharLstm::continued(const Tensor& characters, const LstmState& state) const {
  auto [h, after] = lstm(embed(characters), state);
  return {head(h), after};
}

}  // namespace scry::nn
