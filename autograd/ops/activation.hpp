#pragma once

#include <scry/core/random.hpp>

namespace scry {

// The activation functions of torch.nn with its names and defaults; elementwise, any shape, f32 or f64. sigmoid and tanh are in math.hpp.

Tensor relu(Tensor x);                                    ///< max(x, 0). Gradient: g where y > 0, else 0
Tensor leaky_relu(const Tensor& x, double slope = 0.01);  ///< x where x > 0, else slope x
Tensor elu(const Tensor& x, double alpha = 1);            ///< x where x > 0, else alpha (eˣ - 1). Clevert et al. 2016
Tensor selu(const Tensor& x);                             ///< elu, scaled to keep mean and variance. Klambauer et al. 2017
Tensor celu(const Tensor& x, double alpha = 1);           ///< x where x > 0, else alpha (e^(x / alpha) - 1). Barron 2017
enum class Gelu { erf, tanh };
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);  ///< x Φ(x), or its approximation by tanh. Hendrycks and Gimpel 2016
Tensor silu(const Tensor& x);                         ///< x sigmoid(x)
Tensor mish(const Tensor& x);                         ///< x tanh(softplus(x)). Misra 2019
/// log(1 + e^(beta x)) / beta, and x itself where beta x > threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
Tensor softsign(const Tensor& x);                                   ///< x / (1 + |x|)
Tensor tanhshrink(const Tensor& x);                                 ///< x - tanh(x)
Tensor logsigmoid(const Tensor& x);                                 ///< log(sigmoid(x)), without overflow
Tensor hardtanh(Tensor x, double low = -1, double high = 1);        ///< x moved into [low, high]; no gradient at the bounds
Tensor relu6(Tensor x);                                             ///< hardtanh from 0 to 6
Tensor hardsigmoid(const Tensor& x);                                ///< x / 6 + 1/2, moved into [0, 1]
Tensor hardswish(const Tensor& x);                                  ///< x hardsigmoid(x). Howard et al. 2019
Tensor hardshrink(const Tensor& x, double lambda = 0.5);            ///< 0 where |x| <= lambda, else x
Tensor softshrink(const Tensor& x, double lambda = 0.5);            ///< x moved by lambda towards 0, and 0 within
Tensor threshold(const Tensor& x, double threshold, double value);  ///< x where x > threshold, else value
/// x where x > 0, else weight x, for one weight or one for each channel: axis 1, or the only axis. He et al. 2015.
Tensor prelu(const Tensor& x, const Tensor& weight);
/// Randomised leaky_relu (Xu et al. 2015): slopes uniform in [lower, upper) for each element in training, else their mean.
Tensor rrelu(const Tensor& x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool training = false, Generator& generator = default_generator());
/// a sigmoid(b) of the halves a and b of an axis, whose size must be even. Dauphin et al. 2017.
Tensor glu(const Tensor& x, int axis = -1);

}  // namespace scry
