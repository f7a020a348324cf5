#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// beta c + alpha a b for matrices a: [m, k] and b: [k, n]; c broadcasts to [m, n]. With beta = 0 what is in c doesn't matter.
Tensor addmm(const Tensor& c, const Tensor& a, const Tensor& b, double beta = 1, double alpha = 1);
/// The same for batches of matrices, a: [batch, m, k] and b: [batch, k, n].
Tensor baddbmm(const Tensor& c, const Tensor& a, const Tensor& b, double beta = 1, double alpha = 1);
/// a b for batches of matrices, a: [batch, m, k] and b: [batch, k, n].
Tensor bmm(const Tensor& a, const Tensor& b);
/// a[i] b[j] for two tensors of one axis, of any types.
Tensor outer(const Tensor& a, const Tensor& b);
/// The sum of a[i] b[i] for two tensors of one axis and one size; floats are added in double.
Tensor dot(const Tensor& a, const Tensor& b);
/// x: [..., m, n], any type, with zeros above (tril) or below (triu) a diagonal: 0 is the main one, positive ones lie above it. Gradient: the same of
/// g.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);

}  // namespace scry
