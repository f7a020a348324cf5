#pragma once

#include <scry/core/random.hpp>

namespace scry {

// Noise for training; f32 or f64. What is dropped is a function of the generator's state alone; p = 0 returns x itself and draws nothing.

/// Each element is 0 with probability p, else multiplied by 1 / (1 - p) (Srivastava et al. 2014, the inverted form).
Tensor dropout(const Tensor& x, double p, Generator& generator = default_generator());
/// The same for whole channels of x: [N, C, …] (Tompson et al. 2015): torch.nn.functional.dropout1d and dropout2d.
Tensor feature_dropout(const Tensor& x, double p, Generator& generator = default_generator());
/// The same for whole samples of x: [N, …], or with `by_batch` for all of x at once: stochastic depth, "drop path", for the branch that a
/// residual connection adds (Huang et al. 2016).
Tensor stochastic_depth(const Tensor& x, double p, bool by_batch = false, Generator& generator = default_generator());
/// Each element is, with probability p, the value at which SELU saturates; then all are scaled and shifted so that mean 0 and variance 1 stay
/// so (Klambauer et al. 2017).
Tensor alpha_dropout(const Tensor& x, double p, Generator& generator = default_generator());

}  // namespace scry
