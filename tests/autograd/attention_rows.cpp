#include <cmath>
#include <limits>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

enum class Mask { none, bools, numbers, hides_all };

struct Variant {
  Mask mask = Mask::none;
  bool causal = false;
  double scale = 0;  // 0: the default
};

// Whether query i sees key j by a mask of bools; the first query of each matrix sees none where `hides_all`.
bool sees(Mask mask, int64_t i, int64_t j) { return mask == Mask::hides_all ? i > 0 : mask != Mask::bools || (3 * i + 2 * j) % 5 != 1 || j == 0; }
double added(int64_t i, int64_t j) { return (2 * i + j) % 4 == 1 && j > 0 ? -INFINITY : 0.3 * static_cast<double>((i + 3 * j) % 5) - 0.5; }

AttentionOptions options_for(const Variant& v, int64_t queries, int64_t keys, DType dtype) {
  AttentionOptions options{.causal = v.causal};
  if (v.scale != 0) options.scale = v.scale;
  if (v.mask == Mask::none) return options;
  std::vector<double> values;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) values.push_back(v.mask == Mask::numbers ? added(i, j) : sees(v.mask, i, j));
  options.mask = cast(Tensor::of(values, {queries, keys}), v.mask == Mask::numbers ? dtype : boolean);
  return options;
}

// Written out for [..., L, E], [..., S, E] and [..., S, V], leading axes broadcast.
std::vector<double> attention_reference(const Variant& v, const Tensor& q, const Tensor& k, const Tensor& value, const Shape& batch) {
  std::vector<double> out;
  Shape rows = batch;
  rows.push_back(q.size(-2));
  const double scale = v.scale != 0 ? v.scale : 1 / std::sqrt(static_cast<double>(q.size(-1)));
  for_each_index(rows, [&](std::span<const int64_t> index) {
    const auto with = [&](int64_t a, int64_t b) {
      Position p(index.begin(), index.end() - 1);
      p.push_back(a);
      p.push_back(b);
      return p;
    };
    const int64_t i = index.back();
    std::vector<double> weights;
    double sum = 0;
    for (int64_t j = 0; j < k.size(-2); ++j) {
      double score = 0;
      for (int64_t e = 0; e < q.size(-1); ++e) score += at(q, with(i, e)) * at(k, with(j, e));
      score = score * scale + (v.mask == Mask::numbers ? added(i, j) : 0);
      weights.push_back((v.causal && j > i) || !sees(v.mask, i, j) ? 0 : std::exp(score));
      sum += weights.back();
    }
    for (int64_t e = 0; e < value.size(-1); ++e) {
      double total = 0;
      for (int64_t j = 0; j < k.size(-2); ++j) total += weights[static_cast<size_t>(j)] * at(value, with(j, e));
      out.push_back(sum > 0 ? total / sum : 0);
    }
  });
  return out;
}

Row attention_row(const Variant& v, std::vector<std::vector<Input>> cases) {
  return {"scaled_dot_product_attention", std::move(cases),
          [v](Args x) { return scaled_dot_product_attention(x[0], x[1], x[2], options_for(v, x[0].size(-2), x[1].size(-2), x[0].dtype())); },
          [v](Args x) {
            Shape batch;
            for (const Tensor& t : x)
              batch = broadcast_shapes("reference", batch, Shape(std::span<const int64_t>(t.shape().begin(), t.shape().end() - 2)));
            return attention_reference(v, x[0], x[1], x[2], batch);
          },
          [] {
            scaled_dot_product_attention(zeros({2, 3}), zeros({4, 2}), zeros({4, 2}));
          }};
}

Row self_row(const Variant& v) {
  return {"self_attention",
          {{{{2, 3, 12}}}, {{{1, 70, 12}}}, {{{1, 40, 3 * 2 * 17}}}},
          [v](Args x) { return self_attention(x[0], 2, options_for(v, x[0].size(1), x[0].size(1), x[0].dtype())); },
          [v](Args x) {
            const int64_t width = x[0].size(2) / 3;
            const auto part = [&](int64_t i) {
              return contiguous(transpose(reshape(narrow(x[0], 2, i * width, width), {x[0].size(0), x[0].size(1), 2, width / 2}), 1, 2));
            };
            const Tensor q = part(0);
            const std::vector<double> by_head = attention_reference(v, q, part(1), part(2), {x[0].size(0), 2});
            return transpose(Tensor::of(by_head, q.shape()), 1, 2).to_vector<double>();
          },
          [] {
            self_attention(zeros({2, 3, 8}), 2);
          }};
}

}  // namespace

std::vector<Row> attention_rows() {
  const std::vector<Input> small{{{2, 3, 4}}, {{2, 5, 4}}, {{2, 5, 3}}}, tiles{{{2, 40, 20}}, {{2, 70, 20}}, {{2, 70, 37}}};
  const std::vector<Input> broadcast{{{2, 1, 3, 2}}, {{2, 4, 2}}, {{4, 3}}}, matrices{{{3, 2}}, {{1, 2}}, {{1, 70}}};
  return {
      attention_row({}, {small, tiles, broadcast, matrices}),
      attention_row({.causal = true, .scale = 0.7}, {small, tiles}),
      attention_row({.mask = Mask::bools}, {small, tiles, broadcast}),
      attention_row({.mask = Mask::numbers, .causal = true}, {small, tiles}),
      attention_row({.mask = Mask::hides_all}, {small}),
      self_row({}),
      self_row({.mask = Mask::bools, .causal = true}),
  };
}

}  // namespace scry::test
