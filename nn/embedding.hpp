#pragma once

#include <scry/nn/module.hpp>
#include <optional>

namespace scry::nn {

struct EmbeddingOptions {
  std::optional<int64_t> padding_idx = {};  ///< a row that is 0 at first and gets no gradient; negative ones count from the back
  DType dtype = f32;
};

/// Rows of a table: indices i64 of any shape [...] in [0, rows) -> [..., width]. Parameter: weight [rows, width], normal at first.
struct Embedding : Module<Embedding> {
  Embedding(int64_t rows, int64_t width, const EmbeddingOptions& options = {});
  Tensor forward(const Tensor& index) const;
  std::string describe() const { return text("nn.Embedding ", weight.size(0), " x ", weight.size(1)); }

  EmbeddingOptions options;
  Tensor weight;
};

}  // namespace scry::nn
