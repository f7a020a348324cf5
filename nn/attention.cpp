#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/attention.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/creation.hpp>
#include <scry/nn/attention.hpp>
#include <scry/nn/init.hpp>
#include <cmath>

namespace scry::nn {
namespace {

// PyTorch's masks hide where they are true; those of attention show.
Tensor as_numbers(const Tensor& mask, DType dtype) {
  return mask.dtype() == boolean ? masked_fill(zeros(mask.shape(), dtype), mask, -INFINITY) : mask;
}

Tensor combined(const MultiheadMasks& masks, int64_t batch, int64_t heads, int64_t queries, int64_t keys, DType dtype) {
  Tensor padding = masks.key_padding_mask, mask = masks.attn_mask;
  if (padding.defined()) {
    require(padding.numel() == batch * keys && padding.rank() <= 2, "expected a key_padding_mask of shape [", batch, ", ", keys, "], got ",
            padding.shape());
    padding = reshape(padding, {batch, 1, 1, keys});
  }
  if (mask.defined()) {
    const bool each = mask.rank() == 3;
    require(mask.shape() == (each ? Shape{batch * heads, queries, keys} : Shape{queries, keys}), "expected an attn_mask of shape [", queries, ", ",
            keys, "] or [", batch * heads, ", ", queries, ", ", keys, "], got ", mask.shape());
    if (each) mask = reshape(mask, {batch, heads, queries, keys});
  }
  if (!padding.defined() || !mask.defined()) {
    const Tensor& only = padding.defined() ? padding : mask;
    return only.defined() && only.dtype() == boolean ? logical_not(only) : only;
  }
  if (padding.dtype() == boolean && mask.dtype() == boolean) return logical_not(logical_or(padding, mask));
  return as_numbers(padding, dtype) + as_numbers(mask, dtype);
}

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads, const MultiheadAttentionOptions& given)
    : width(embed_dim), heads(num_heads), options(given), out_proj(add("out_proj", Linear{embed_dim, embed_dim, {given.bias, given.dtype}})) {
  require(heads >= 1 && width % heads == 0, "nn.MultiheadAttention: a width of ", width, " doesn't split into ", heads, " heads");
  const int64_t keys = options.kdim > 0 ? options.kdim : width, values = options.vdim > 0 ? options.vdim : width;
  const auto weight = [&](const char* name, int64_t rows, int64_t columns) {
    return parameter(name, init::xavier_uniform_(Tensor::empty({rows, columns}, options.dtype)));
  };
  if (keys == width && values == width) {
    in_proj_weight = weight("in_proj_weight", 3 * width, width);
  } else {
    q_proj_weight = weight("q_proj_weight", width, width);
    k_proj_weight = weight("k_proj_weight", width, keys);
    v_proj_weight = weight("v_proj_weight", width, values);
  }
  if (!options.bias) return;
  in_proj_bias = parameter("in_proj_bias", zeros({3 * width}, options.dtype));
  init::constant_(out_proj.bias, 0);
}

// For [B, L, E].
Tensor MultiheadAttention::attend(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadMasks& masks) const {
  const int64_t batch = query.size(0), queries = query.size(1), keys = key.size(1);
  const AttentionOptions how{
      .mask = combined(masks, batch, heads, queries, keys, query.dtype()), .causal = masks.is_causal, .dropout = training() ? options.dropout : 0};
  if (same_node(query, key) && same_node(key, value) && in_proj_weight.defined())
    return out_proj(self_attention(linear(query, in_proj_weight, in_proj_bias), heads, how));
  const Tensor inputs[] = {query, key, value}, own[] = {q_proj_weight, k_proj_weight, v_proj_weight};
  Tensor parts[3];
  for (int64_t i = 0; i < 3; ++i) {
    const Tensor weight = in_proj_weight.defined() ? narrow(in_proj_weight, 0, i * width, width) : own[i];
    const Tensor bias = in_proj_bias.defined() ? narrow(in_proj_bias, 0, i * width, width) : Tensor{};
    parts[i] = transpose(reshape(linear(inputs[i], weight, bias), {batch, inputs[i].size(1), heads, width / heads}), 1, 2);
  }
  return out_proj(flatten(transpose(scaled_dot_product_attention(parts[0], parts[1], parts[2], how), 1, 2), 2));
}

Tensor MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadMasks& masks) const {
  const int64_t sizes[] = {width, options.kdim > 0 ? options.kdim : width, options.vdim > 0 ? options.vdim : width};
  const Tensor* tensors[] = {&query, &key, &value};
  for (int i = 0; i < 3; ++i)
    require(
        tensors[i]->defined() && tensors[i]->rank() == query.rank() && (query.rank() == 2 || query.rank() == 3) && tensors[i]->size(-1) == sizes[i],
        "expected queries, keys and values of shape ", options.batch_first ? "[B, L, E]" : "[L, B, E]", " or [L, E] with sizes ", sizes[0], ", ",
        sizes[1], " and ", sizes[2], tensors[i]->defined() ? text(", got ", tensors[i]->shape()) : "");
  const bool single = query.rank() == 2, swap = !options.batch_first && !single;
  const auto batched = [&](const Tensor& x) { return single ? unsqueeze(x, 0) : swap ? transpose(x, 0, 1) : x; };
  const Tensor q = batched(query), k = same_node(key, query) ? q : batched(key), v = same_node(value, key) ? k : batched(value);
  require(k.size(0) == q.size(0) && v.size(0) == q.size(0) && k.size(1) == v.size(1), "queries, keys and values of shapes ", query.shape(), ", ",
          key.shape(), " and ", value.shape(), " don't fit: one batch, and as many keys as values");
  const Tensor out = attend(q, k, v, masks);
  return single ? squeeze(out, 0) : swap ? transpose(out, 0, 1) : out;
}

}  // namespace scry::nn
