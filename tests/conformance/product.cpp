#include "conformance/node.hpp"

// Matrix products and Einstein's sums.
namespace scry::conformance {
namespace {

// Integers are multiplied as doubles, which is exact for the sums of products that fit into 53 bits.
template <class F>
Tensor in_floats(const Tensor& like, const F& function) {
  if (is_floating(like.dtype())) return function([](const Tensor& x) { return x; });
  return cast(function([](const Tensor& x) { return cast(x, f64); }), like.dtype());
}

Outputs multiply(const Node& node) {
  return {in_floats(node.in(0), [&](const auto& as) { return matmul(as(node.in(0)), as(node.in(1))); })};
}

Outputs gemm(const Node& node) {
  const double alpha = node.number("alpha", 1.0), beta = node.number("beta", 1.0);
  return {in_floats(node.in(0), [&](const auto& as) {
    const Tensor a = node.flag("transA") ? transpose(as(node.in(0)), 0, 1) : as(node.in(0));
    const Tensor b = node.flag("transB") ? transpose(as(node.in(1)), 0, 1) : as(node.in(1));
    return node.has(2) ? addmm(as(node.in(2)), a, b, beta, alpha) : matmul(a, b) * alpha;
  })};
}

Outputs einstein(const Node& node) {
  return {in_floats(node.in(0), [&](const auto& as) {
    std::vector<Tensor> operands;
    for (const Tensor& input : node.inputs) operands.push_back(as(input));
    return einsum(node.word("equation", ""), operands);
  })};
}

// Zero points are taken off first: one for all, or one for each row of a and each column of b.
Outputs multiply_integers(const Node& node) {
  const auto centred = [&](size_t i, bool rows) {
    const Tensor x = cast(node.in(i), f64);
    if (!node.has(i + 2)) return x;
    const Tensor zero = cast(node.in(i + 2), f64);
    return x - (rows && zero.rank() == 1 ? unsqueeze(zero, 1) : zero);
  };
  return {cast(matmul(centred(0, true), centred(1, false)), i64)};
}

}  // namespace

void add_products(Table& table) {
  table.insert({
      {"MatMul", multiply},
      {"Gemm", gemm},
      {"Einsum", einstein},
      {"MatMulInteger", multiply_integers},
  });
}

}  // namespace scry::conformance
