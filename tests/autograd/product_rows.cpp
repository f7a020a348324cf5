#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

std::vector<double> product(const Tensor& a, const Tensor& b) {
  Shape lead_a(std::span(a.shape().begin(), a.shape().end() - 2)), lead_b(std::span(b.shape().begin(), b.shape().end() - 2));
  Shape shape = broadcast_shapes("reference", lead_a, lead_b);
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  std::vector<double> out;
  for_each_index(shape, [&](std::span<const int64_t> index) {
    std::vector<int64_t> left(index.begin(), index.end()), right = left;
    double sum = 0;
    for (int64_t k = 0; k < a.size(-1); ++k) {
      left.back() = right[right.size() - 2] = k;
      sum += at(a, left) * at(b, right);
    }
    out.push_back(sum);
  });
  return out;
}

}  // namespace

std::vector<Row> product_rows() {
  return {
      {"matmul",
       {{{{3, 4}}, {{4, 2}}},
        {{{1, 1}}, {{1, 1}}},
        {{{2, 3, 4}}, {{4, 2}}},
        {{{2, 1, 3, 4}}, {{3, 4, 2}}},
        {{{0, 3}}, {{3, 2}}},
        {{{3, 0}}, {{0, 2}}},
        {{{33, 40}}, {{40, 65}}}},
       [](Args x) { return matmul(x[0], x[1]); },
       [](Args x) { return product(x[0], x[1]); },
       [] {
         matmul(zeros({2, 3}), zeros({2, 3}));
       }},
      {"matmul",
       {{{{5}}, {{5}}}},
       [](Args x) { return matmul(x[0], x[1]); },
       [](Args x) {
         return product(reshape(x[0], {1, -1}), reshape(x[1], {-1, 1}));
       },
       [] { matmul(zeros({}), zeros({2})); }},
      {"matmul",
       {{{{3, 5}}, {{5}}}},
       [](Args x) { return matmul(x[0], x[1]); },
       [](Args x) {
         return product(x[0], reshape(x[1], {-1, 1}));
       },
       [] {
         matmul(zeros({2, 3}), zeros({2}));
       }},
      {"linear",
       {{{{3, 4}}, {{2, 4}}, {{2}}}, {{{2, 3, 4}}, {{5, 4}}, {{5}}}, {{{4}}, {{5, 4}}, {{5}}}, {{{64, 33}}, {{31, 33}}, {{31}}}},
       [](Args x) { return linear(x[0], x[1], x[2]); },
       [](Args x) {
         std::vector<double> out = product(reshape(x[0], {-1, x[0].size(-1)}), transpose(x[1], 0, 1));
         for (size_t i = 0; i < out.size(); ++i) out[i] += at(x[2], {static_cast<int64_t>(i) % x[2].numel()});
         return out;
       },
       [] {
         linear(zeros({2, 3}), zeros({4, 5}));
       }},
      {"linear",
       {{{{3, 4}}, {{2, 4}}}},
       [](Args x) { return linear(x[0], x[1]); },
       [](Args x) { return product(x[0], transpose(x[1], 0, 1)); },
       [] {
         linear(zeros({2, 3}), zeros({4, 3}), zeros({5}));
       }},
  };
}

}  // namespace scry::test
