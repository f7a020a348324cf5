#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/nn/init.hpp>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace scry::nn::init {
namespace {

const Tensor& write(const Tensor& x, const Tensor& values) {
  kernels::copy_into(x, values);
  x.node().storage->bump_version();
  return x;
}

void require_floating(const char* what, const Tensor& x) {
  require(x.defined() && is_floating(x.dtype()), "init::", what, ": expected a tensor of f32 or f64");
}

const Tensor& write_normal(const Tensor& x, double mean, double deviation, Generator& generator) {
  Tensor values = randn(x.shape(), x.dtype(), generator);
  dispatch_floating("init", x.dtype(), [&]<class T>() {
    T* data = values.mutable_data<T>();
    for (int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<T>(mean + deviation * static_cast<double>(data[i]));
  });
  return write(x, values);
}

// Uniform numbers of this variance around 0.
const Tensor& write_uniform(const Tensor& x, double deviation, Generator& generator) {
  const double bound = std::sqrt(3.0) * deviation;
  return write(x, uniform(x.shape(), -bound, bound, x.dtype(), generator));
}

double xavier_deviation(const Tensor& weight, double gain) {
  const Fans fans = fans_of(weight);
  return gain * std::sqrt(2 / static_cast<double>(fans.in + fans.out));
}

double kaiming_deviation(const Tensor& weight, const KaimingOptions& options) {
  const Fans fans = fans_of(weight);
  const int64_t fan = options.mode == KaimingOptions::Mode::fan_in ? fans.in : fans.out;
  return calculate_gain(options.nonlinearity, options.a) / std::sqrt(static_cast<double>(fan));
}

double normal_below(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

// z with normal_below(z) = u: Winitzki's approximation, then Newton's steps.
double normal_quantile(double u) {
  const double y = 2 * u - 1, a = 0.147, logarithm = std::log(4 * u * (1 - u)), b = 2 / (std::numbers::pi * a) + logarithm / 2;
  double z = std::numbers::sqrt2 * std::copysign(std::sqrt(std::sqrt(b * b - logarithm / a) - b), y);
  for (int i = 0; i < 3; ++i) z -= (normal_below(z) - u) * std::sqrt(2 * std::numbers::pi) * std::exp(z * z / 2);
  return z;
}

}  // namespace

Tensor uniform_fan_in(const Shape& shape, int64_t fan_in, DType dtype, Generator& generator) {
  require(fan_in >= 1, "init: a layer needs at least one input, got shape ", shape);
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return uniform(shape, -bound, bound, dtype, generator);
}

Fans fans_of(const Tensor& weight) {
  require_floating("fans_of", weight);
  require(weight.rank() >= 2 && weight.numel() > 0, "init: a weight needs inputs and outputs, [out, in, kernel…], got shape ", weight.shape());
  const int64_t kernel = weight.numel() / (weight.size(0) * weight.size(1));
  return {weight.size(1) * kernel, weight.size(0) * kernel};
}

double calculate_gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid: return 1;
    case Nonlinearity::tanh: return 5.0 / 3;
    case Nonlinearity::relu: return std::numbers::sqrt2;
    case Nonlinearity::leaky_relu: return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu: break;
  }
  return 0.75;
}

const Tensor& constant_(const Tensor& x, double value) { return write(x, full({}, value, x.dtype())); }

const Tensor& uniform_(const Tensor& x, double low, double high, Generator& generator) {
  require_floating("uniform_", x);
  return write(x, uniform(x.shape(), low, high, x.dtype(), generator));
}

const Tensor& normal_(const Tensor& x, double mean, double deviation, Generator& generator) {
  require_floating("normal_", x);
  require(deviation >= 0, "init::normal_: a deviation is at least 0, got ", deviation);
  return write_normal(x, mean, deviation, generator);
}

const Tensor& trunc_normal_(const Tensor& x, double mean, double deviation, double low, double high, Generator& generator) {
  require_floating("trunc_normal_", x);
  require(deviation > 0 && low < high, "init::trunc_normal_: expected a deviation above 0 and low < high, got ", deviation, ", ", low, " and ", high);
  // In the upper tail probabilities are too near to 1: the lower one is its mirror image.
  const double side = low > mean ? -1 : 1, first = side > 0 ? low - mean : mean - high, last = side > 0 ? high - mean : mean - low;
  const double from = normal_below(first / deviation), to = normal_below(last / deviation);
  Tensor values = uniform(x.shape(), 0, 1, f64, generator);
  auto* value = values.mutable_data<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double u = std::clamp(from + (to - from) * value[i], 1e-300, 1 - 1e-16);
    value[i] = mean + side * std::clamp(deviation * normal_quantile(u), first, last);
  }
  return write(x, values);
}

const Tensor& xavier_uniform_(const Tensor& weight, double gain, Generator& generator) {
  return write_uniform(weight, xavier_deviation(weight, gain), generator);
}
const Tensor& xavier_normal_(const Tensor& weight, double gain, Generator& generator) {
  return write_normal(weight, 0, xavier_deviation(weight, gain), generator);
}

const Tensor& kaiming_uniform_(const Tensor& weight, const KaimingOptions& options, Generator& generator) {
  return write_uniform(weight, kaiming_deviation(weight, options), generator);
}
const Tensor& kaiming_normal_(const Tensor& weight, const KaimingOptions& options, Generator& generator) {
  return write_normal(weight, 0, kaiming_deviation(weight, options), generator);
}

const Tensor& lecun_uniform_(const Tensor& weight, Generator& generator) {
  return write_uniform(weight, kaiming_deviation(weight, {.nonlinearity = Nonlinearity::linear}), generator);
}
const Tensor& lecun_normal_(const Tensor& weight, Generator& generator) {
  return write_normal(weight, 0, kaiming_deviation(weight, {.nonlinearity = Nonlinearity::linear}), generator);
}

const Tensor& orthogonal_(const Tensor& weight, double gain, Generator& generator) {
  fans_of(weight);  // checks it
  const int64_t rows = weight.size(0), columns = weight.numel() / rows, count = std::min(rows, columns), length = std::max(rows, columns);
  Tensor vectors = randn({count, length}, f64, generator);
  auto* data = vectors.mutable_data<double>();
  for (int64_t i = 0; i < count; ++i) {
    double* v = data + i * length;
    const auto dot = [&](const double* u) { return std::inner_product(u, u + length, v, 0.0); };
    for (int pass = 0; pass < 2; ++pass)  // once more, for what rounding has left (Giraud et al. 2005)
      for (int64_t j = 0; j < i; ++j) {
        const double* u = data + j * length;
        const double share = dot(u);
        for (int64_t k = 0; k < length; ++k) v[k] -= share * u[k];
      }
    const double factor = 1 / std::sqrt(dot(v));
    for (int64_t k = 0; k < length; ++k) v[k] *= factor;
  }
  for (int64_t i = 0; i < count * length; ++i) data[i] *= gain;
  if (rows <= columns) return write(weight, Tensor::view(vectors.node().storage, 0, weight.shape(), row_major_strides(weight.shape()), f64));
  const Tensor upright = kernels::contiguous(Tensor::view(vectors.node().storage, 0, {rows, columns}, {1, rows}, f64));
  return write(weight, Tensor::view(upright.node().storage, 0, weight.shape(), row_major_strides(weight.shape()), f64));
}

const Tensor& dirac_(const Tensor& weight, int64_t groups) {
  fans_of(weight);  // checks it
  require(weight.rank() >= 3 && groups >= 1 && weight.size(0) % groups == 0, "init::dirac_: expected kernels [out, in, kernel…] of ", groups,
          " groups, got shape ", weight.shape());
  const Tensor values = zeros(weight.shape(), f64);
  int64_t middle = 0;
  for (int axis = 2; axis < weight.rank(); ++axis) middle += weight.size(axis) / 2 * values.strides()[axis];
  const int64_t each = weight.size(0) / groups;
  auto* data = static_cast<double*>(values.raw());
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t d = 0; d < std::min(each, weight.size(1)); ++d) data[(g * each + d) * values.strides()[0] + d * values.strides()[1] + middle] = 1;
  return write(weight, values);
}

}  // namespace scry::nn::init
