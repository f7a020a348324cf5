#pragma once

#include <scry/core/random.hpp>

// Initial values. All draw from the default generator unless another is given, and don't depend on the number of threads. Names ending in _ fill a
// tensor, a registered parameter too, and return it, as torch.nn.init's; weights are [out, in, kernel…].
namespace scry::nn::init {

/// Uniform in ±1/√fan_in: PyTorch's default for the weights and biases of linear layers and convolutions.
Tensor uniform_fan_in(const Shape& shape, int64_t fan_in, DType dtype = f32, Generator& generator = default_generator());

/// How many inputs an output is computed from, and how many outputs an input reaches.
struct Fans {
  int64_t in, out;
};
Fans fans_of(const Tensor& weight);

enum class Nonlinearity : uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };
/// By how much weights grow to keep variances through a nonlinearity: 1, 1, 5/3, √2, √(2 / (1 + slope²)), 3/4.
double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

const Tensor& constant_(const Tensor& x, double value);
const Tensor& uniform_(const Tensor& x, double low = 0, double high = 1, Generator& generator = default_generator());
const Tensor& normal_(const Tensor& x, double mean = 0, double deviation = 1, Generator& generator = default_generator());
/// A normal distribution's part between `low` and `high`.
const Tensor& trunc_normal_(const Tensor& x, double mean = 0, double deviation = 1, double low = -2, double high = 2,
                            Generator& generator = default_generator());

/// Variance gain² 2 / (in + out). Glorot and Bengio 2010.
const Tensor& xavier_uniform_(const Tensor& weight, double gain = 1, Generator& generator = default_generator());
const Tensor& xavier_normal_(const Tensor& weight, double gain = 1, Generator& generator = default_generator());

struct KaimingOptions {
  double a = 0;  ///< the slope of a leaky_relu
  enum class Mode : uint8_t { fan_in, fan_out } mode = Mode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
/// Variance gain² / fan. He et al. 2015.
const Tensor& kaiming_uniform_(const Tensor& weight, const KaimingOptions& options = {}, Generator& generator = default_generator());
const Tensor& kaiming_normal_(const Tensor& weight, const KaimingOptions& options = {}, Generator& generator = default_generator());

/// Variance 1 / in. LeCun et al. 1998.
const Tensor& lecun_uniform_(const Tensor& weight, Generator& generator = default_generator());
const Tensor& lecun_normal_(const Tensor& weight, Generator& generator = default_generator());

/// Rows (or, where there are more, columns) of the weight as a matrix [out, all else] that are orthogonal and of length `gain`; every such matrix is
/// as likely. Saxe et al. 2014.
const Tensor& orthogonal_(const Tensor& weight, double gain = 1, Generator& generator = default_generator());
/// Kernels [out, in / groups, kernel…] that pass as many channels on as there are, unchanged.
const Tensor& dirac_(const Tensor& weight, int64_t groups = 1);

}  // namespace scry::nn::init
