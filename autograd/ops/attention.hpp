#pragma once

#include <scry/core/random.hpp>
#include <optional>

namespace scry {

struct AttentionOptions {
  Tensor mask = {};     ///< broadcasts to [..., L, S]: bools, true where a query may see a key, or numbers of q's type that are added to the scores
  bool causal = false;  ///< query i sees keys 0 to i only
  double dropout = 0;   ///< the probability with which a weight becomes 0, the others growing by 1 / (1 - p)
  std::optional<double> scale = {};  ///< 1 / √E if not given
};

/// softmax(scale q kᵀ + mask) v (Vaswani et al. 2017). q: [..., L, E], k: [..., S, E], v: [..., S, V], f32 or f64, the leading axes broadcasting; the
/// result [..., L, V] lies in memory as q does. A query that sees no key gives zeros. Scores are computed in tiles and again for the gradient (Dao et
/// al. 2022), so that memory grows with L + S; only a mask that requires a gradient, and second derivatives, need L S.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {},
                                    Generator& generator = default_generator());

/// The same for `heads` heads at once, out of one tensor of queries, keys and values: [B, L, 3 E], each E being cut into the heads' parts. The
/// result: [B, L, E]. Nothing is copied to split the heads or to join them. The mask broadcasts to [B, heads, L, L].
Tensor self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options = {}, Generator& generator = default_generator());

}  // namespace scry
