#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/linalg.hpp>
#include <scry/autograd/ops/matmul.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/triangle.hpp>
#include <scry/core/room.hpp>

namespace scry {

using autograd::record;
using autograd::wrt;

namespace {

// a b for operands of `rank` axes whose leading ones are equal.
Tensor product(std::string_view op, const Tensor& a, const Tensor& b, int rank) {
  autograd::require_rank(op, "the first matrix", a, rank);
  autograd::require_rank(op, "the second matrix", b, rank);
  require(a.size(-1) == b.size(-2) && (rank == 2 || a.size(0) == b.size(0)), op, ": shapes ", a.shape(), " and ", b.shape(), " don't multiply");
  require(is_floating(a.dtype()) && a.dtype() == b.dtype(), op, ": expected two tensors of f32 or of f64, got ", a.dtype(), " and ", b.dtype());
  return matmul(a, b);
}

Tensor add_product(std::string_view op, const Tensor& c, const Tensor& a, const Tensor& b, double beta, double alpha, int rank) {
  Tensor y = product(op, a, b, rank);
  if (alpha != 1) y = y * alpha;
  autograd::require_defined(op, c);
  autograd::require_same_dtype(op, c, a);
  require(broadcast_shapes(op, c.shape(), y.shape()) == y.shape(), op, ": shape ", c.shape(), " does not broadcast to ", y.shape());
  if (beta == 0) return y;
  return beta == 1 ? c + y : c * beta + y;
}

Tensor triangle(const Tensor& x, int64_t diagonal, bool lower) {
  const auto rule = [](const Tensor& g, int64_t same, bool below) { return triangle(g, same, below); };
  return record(lower ? "tril" : "triu")(kernels::triangle(x, diagonal, lower), wrt(x, rule, diagonal, lower));
}

void require_matrix(std::string_view op, const Tensor& x) {
  autograd::require_defined(op, x);
  require(x.rank() >= 2, op, ": expected a shape [..., m, n], got ", x.shape());
}

}  // namespace

Tensor addmm(const Tensor& c, const Tensor& a, const Tensor& b, double beta, double alpha) { return add_product("addmm", c, a, b, beta, alpha, 2); }
Tensor baddbmm(const Tensor& c, const Tensor& a, const Tensor& b, double beta, double alpha) {
  return add_product("baddbmm", c, a, b, beta, alpha, 3);
}
Tensor bmm(const Tensor& a, const Tensor& b) { return product("bmm", a, b, 3); }

Tensor outer(const Tensor& a, const Tensor& b) {
  autograd::require_rank("outer", "the first tensor", a, 1);
  autograd::require_rank("outer", "the second tensor", b, 1);
  require_room("outer", {a.numel(), b.numel()}, promote(a.dtype(), b.dtype()));
  return unsqueeze(a, 1) * b;
}

Tensor dot(const Tensor& a, const Tensor& b) {
  autograd::require_rank("dot", "the first tensor", a, 1);
  autograd::require_rank("dot", "the second tensor", b, 1);
  require(a.shape() == b.shape(), "dot: shapes ", a.shape(), " and ", b.shape(), " differ");
  return sum(a * b);
}

Tensor tril(const Tensor& x, int64_t diagonal) {
  require_matrix("tril", x);
  return triangle(x, diagonal, true);
}
Tensor triu(const Tensor& x, int64_t diagonal) {
  require_matrix("triu", x);
  return triangle(x, diagonal, false);
}

}  // namespace scry
