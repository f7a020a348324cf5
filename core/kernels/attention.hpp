#pragma once

#include <scry/core/random_stream.hpp>
#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// Attention of L queries [..., L, E] to S keys [..., S, E] and values [..., S, V], for each index of the leading axes, which are equal. In tiles, so
/// that the scores, which are as many as L S, are never all there (Dao et al. 2022). f32 or f64, any strides.
struct Attention {
  double scale;
  bool causal = false;       ///< query i sees keys up to i
  Tensor mask = {};          ///< [..., L, S], any strides: bools, whether a query sees a key, or numbers of q's type that are added to the scores
  double dropout = 0;        ///< the probability with which a weight becomes 0 …
  RandomStream stream = {};  ///< … and the numbers that decide, dropout_blocks() of them

  /// Blocks of random numbers for tensors of these shapes.
  static int64_t dropout_blocks(const Tensor& q, const Tensor& k);
};

/// Writes softmax(scale q kᵀ + mask) v to `out` [..., L, V], and the logarithms of the softmax's divisors to `log_sums` [..., L], row-major. A query
/// that sees no key gives zeros.
void attention(const Attention& how, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& log_sums);

/// Writes the gradients for a gradient g of `out`.
void attention_gradients(const Attention& how, const Tensor& g, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out,
                         const Tensor& log_sums, const Tensor& q_gradient, const Tensor& k_gradient, const Tensor& v_gradient);

/// The dropout's factors, 0 or 1 / (1 - p), as a tensor [..., L, S].
Tensor attention_dropout(const Attention& how, const Tensor& q, const Tensor& k);

}  // namespace scry::kernels
