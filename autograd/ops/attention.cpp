#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/attention.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/compare.hpp>
#include <scry/autograd/ops/indexing.hpp>
#include <scry/autograd/ops/linalg.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/ops/where.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/kernels/attention.hpp>
#include <algorithm>
#include <cmath>

namespace scry {
namespace {

using autograd::Gradients;
using kernels::Attention;

// A new tensor whose axes lie in memory in the order of x's, the last one dense.
Tensor laid_out_like(const Tensor& x, const Shape& shape) {
  const int rank = x.rank();
  int order[Shape::max_rank];
  for (int axis = 0; axis < rank; ++axis) order[axis] = axis;
  std::stable_sort(order, order + rank - 1, [&](int a, int b) { return x.strides()[a] > x.strides()[b]; });
  Shape strides = Shape::filled(rank, 1);
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[order[i]] = step;
    step *= std::max<int64_t>(1, shape[order[i]]);
  }
  return Tensor::empty_strided(shape, strides, x.dtype());
}

// The same out of differentiable ops, with all scores.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Attention& how) {
  Tensor scores = matmul(q, transpose(k, -1, -2)) * how.scale, hidden;
  const auto hide = [&](const Tensor& more) { hidden = hidden.defined() ? logical_or(hidden, more) : more; };
  if (how.causal) hide(logical_not(tril(ones({q.size(-2), k.size(-2)}, boolean))));
  if (how.mask.defined() && how.mask.dtype() == boolean) hide(logical_not(how.mask));
  if (how.mask.defined() && how.mask.dtype() != boolean) {
    const Tensor never = eq(how.mask, -INFINITY);
    hide(never);
    scores = scores + masked_fill(how.mask, never, 0);
  }
  // Finite, so that a query without keys gives no NaN.
  if (hidden.defined()) scores = masked_fill(scores, hidden, -1e30);
  Tensor weights = softmax(scores, -1);
  if (hidden.defined()) weights = masked_fill(weights, hidden, 0);
  if (how.dropout > 0) weights = weights * kernels::attention_dropout(how, q, k);
  return matmul(weights, v);
}

Attention attention_for(std::string_view op, const Tensor& q, const Tensor& k, const AttentionOptions& options, Generator& generator) {
  const double p = options.dropout;
  require(p >= 0 && p < 1, op, ": expected a dropout from 0 to below 1, got ", p);
  Attention how{.scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1)))), .causal = options.causal, .dropout = p};
  if (options.mask.defined()) {
    const Tensor& mask = options.mask;
    Shape scores = q.shape();
    scores[q.rank() - 1] = k.size(-2);
    require(mask.dtype() == boolean || mask.dtype() == q.dtype(), op, ": expected a mask of bools or of ", q.dtype(), ", got ", mask.dtype());
    require(mask.rank() <= scores.rank() && broadcast_shapes(op, mask.shape(), scores) == scores, op, ": a mask of shape ", mask.shape(),
            " doesn't broadcast to the scores' shape ", scores);
    how.mask = expand(mask, scores);
  }
  if (p > 0) how.stream = {generator.seed(), generator.reserve(static_cast<uint64_t>(Attention::dropout_blocks(q, k)))};
  return how;
}

Shape with_leading(const Shape& batch, const Tensor& x) {
  Shape shape = batch;
  shape.push_back(x.size(-2));
  shape.push_back(x.size(-1));
  return shape;
}

struct Attended {
  Tensor out, log_sums;
};

Attended attend(const Attention& how, const Tensor& q, const Tensor& k, const Tensor& v) {
  Shape shape = q.shape(), rows = q.shape();
  shape[q.rank() - 1] = v.size(-1);
  rows.erase(q.rank() - 1);
  Attended result{laid_out_like(q, shape), Tensor::empty(rows, q.dtype())};
  if (result.out.numel() > 0) kernels::attention(how, q, k, v, result.out, result.log_sums);
  return result;
}

// The mask is saved by itself too, so that a change of it is noticed.
void attention_rule(const Tensor& g, Gradients& gradients, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out,
                    const Tensor& log_sums, const Attention& how, const Tensor&) {
  if (grad_enabled()) return gradients.go_on_from(composed(q, k, v, how), g);
  const Tensor parts[] = {laid_out_like(q, q.shape()), laid_out_like(k, k.shape()), laid_out_like(v, v.shape())};
  kernels::attention_gradients(how, g, q, k, v, out, log_sums, parts[0], parts[1], parts[2]);
  for (size_t i = 0; i < 3; ++i) gradients.add(i, parts[i]);
}

// The heads' views of queries, keys and values in a tensor [B, L, 3 E].
Tensor heads_of(const Tensor& qkv, int64_t heads, int64_t part) {
  const int64_t width = qkv.size(2) / 3;
  return transpose(reshape(narrow(qkv, 2, part * width, width), {qkv.size(0), qkv.size(1), heads, width / heads}), 1, 2);
}

Tensor joined(const Tensor& out) { return flatten(transpose(out, 1, 2), 2); }

void packed_rule(const Tensor& g, Gradients& gradients, const Tensor& qkv, const Tensor& out, const Tensor& log_sums, int64_t heads,
                 const Attention& how, const Tensor&) {
  const Tensor q = heads_of(qkv, heads, 0), k = heads_of(qkv, heads, 1), v = heads_of(qkv, heads, 2);
  if (grad_enabled()) return gradients.go_on_from(joined(composed(q, k, v, how)), g);
  const auto by_head = [&](const Tensor& x) { return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2); };
  const Tensor place = gradients.place(0);
  kernels::attention_gradients(how, by_head(g), q, k, v, by_head(out), log_sums, heads_of(place, heads, 0), heads_of(place, heads, 1),
                               heads_of(place, heads, 2));
  gradients.add(0, place);
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionOptions& options,
                                    Generator& generator) {
  constexpr const char* op = "scaled_dot_product_attention";
  for (const Tensor* x : {&query, &key, &value}) {
    autograd::require_floating(op, *x);
    autograd::require_same_dtype(op, query, *x);
    require(x->rank() >= 2, op, ": expected shapes [..., length, width], got ", x->shape());
  }
  require(query.size(-1) == key.size(-1) && key.size(-2) == value.size(-2), op, ": queries, keys and values of shapes ", query.shape(), ", ",
          key.shape(), " and ", value.shape(), " don't fit: expected [..., L, E], [..., S, E] and [..., S, V]");
  require(query.size(-1) > 0 && key.size(-2) > 0, op, ": there is nothing to attend to in keys of shape ", key.shape());
  const auto leading = [](const Tensor& x) { return Shape(std::span<const int64_t>(x.shape().begin(), x.shape().end() - 2)); };
  const Shape batch = broadcast_shapes(op, broadcast_shapes(op, leading(query), leading(key)), leading(value));
  const auto spread = [&](const Tensor& x) { return leading(x) == batch ? x : expand(x, with_leading(batch, x)); };
  const Tensor q = spread(query), k = spread(key), v = spread(value);
  const autograd::Recorder recorder = autograd::record("scaled_dot_product_attention");
  const Attention how = attention_for(op, q, k, options, generator);
  if (options.mask.defined() && options.mask.requires_grad() && grad_enabled()) return composed(q, k, v, how);
  const auto [out, log_sums] = attend(how, q.detach(), k.detach(), v.detach());
  return recorder.joint(out, {q, k, v}, attention_rule, q, k, v, autograd::output, log_sums, how, how.mask);
}

Tensor self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options, Generator& generator) {
  constexpr const char* op = "self_attention";
  autograd::require_floating(op, qkv);
  autograd::require_rank(op, "the input", qkv, 3);
  require(heads >= 1 && qkv.size(2) > 0 && qkv.size(2) % (3 * heads) == 0 && qkv.size(1) > 0, op, ": a shape ", qkv.shape(),
          " is not that of queries, keys and values of ", heads, " heads, [B, L, 3 E]");
  const autograd::Recorder recorder = autograd::record("self_attention");
  const Tensor plain = qkv.detach();
  const Tensor q = heads_of(plain, heads, 0), k = heads_of(plain, heads, 1), v = heads_of(plain, heads, 2);
  const Attention how = attention_for(op, q, k, options, generator);
  if (options.mask.defined() && options.mask.requires_grad() && grad_enabled())
    return joined(composed(heads_of(qkv, heads, 0), heads_of(qkv, heads, 1), heads_of(qkv, heads, 2), how));
  const auto [out, log_sums] = attend(how, q, k, v);
  return recorder.joint(joined(out), {qkv}, packed_rule, qkv, autograd::output, log_sums, heads, how, how.mask);
}

}  // namespace scry
