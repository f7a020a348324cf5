#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/inplace.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/random.hpp>
#include <scry/nn/embedding.hpp>

namespace scry::nn {

Embedding::Embedding(int64_t rows, int64_t width, const EmbeddingOptions& given) : options(given) {
  require(rows >= 1 && width >= 1, "nn.Embedding: expected at least one row and one column, got ", rows, " x ", width);
  const auto padding = options.padding_idx;
  require(!padding || (*padding >= -rows && *padding < rows), "nn.Embedding: padding index ", padding.value_or(0), " is out of range for ", rows,
          " rows");
  const Tensor values = randn({rows, width}, options.dtype);
  if (padding) fill_(select(values, 0, *padding), 0);
  weight = parameter("weight", values);
}

Tensor Embedding::forward(const Tensor& index) const {
  require(index.defined() && index.dtype() == i64, "expected indices of i64", index.defined() ? text(", got ", index.dtype()) : "");
  return embedding(index, weight, options.padding_idx);
}

}  // namespace scry::nn
