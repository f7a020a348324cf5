#include <scry/autograd/ops/matmul.hpp>
#include <scry/nn/models/gpt.hpp>
#include <scry/nn/models/initial.hpp>

namespace scry::nn {

Gpt::Gpt(const GptOptions& options)
    : token(add("token", Embedding{options.vocabulary, options.width})),
      position(add("position", LearnedEncoding{options.context, options.width})),
      dropout(add("dropout", Dropout{options.dropout})),
      blocks(add("blocks", TransformerEncoder{options.layers,
                                              options.width,
                                              options.heads,
                                              {.dim_feedforward = 4 * options.width,
                                               .dropout = options.dropout,
                                               .activation = options.activation,
                                               .batch_first = true,
                                               .norm_first = options.norm_first},
                                              options.norm_first})) {
  if (!options.tied_head) head.emplace(add("head", Linear{options.width, options.vocabulary}));
  init_transformer(*this);
}

Tensor Gpt::forward(const Tensor& tokens) const {
  const Tensor h = blocks(dropout(position(token(tokens))), TransformerMasks{.is_causal = true});
  return head ? (*head)(h) : linear(h, token.weight);
}

}  // namespace scry::nn
