#pragma once

#include <scry/autograd/ops/row_norm.hpp>
#include <scry/nn/module.hpp>

// Normalisation of each sample by itself.
namespace scry::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< whether there is a weight …
  bool bias = true;                ///< … and with it a bias
  DType dtype = f32;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last axes, those of `shape`, see scry::layer_norm. Parameters: weight and bias of
/// `shape`, 1 and 0 at first.
struct LayerNorm : Module<LayerNorm> {
  explicit LayerNorm(const Shape& shape, const LayerNormOptions& options = {});
  explicit LayerNorm(int64_t size, const LayerNormOptions& given = {}) : LayerNorm(Shape{size}, given) {}
  Tensor forward(const Tensor& x) const { return layer_norm(x, shape, weight, bias, options.eps); }
  std::string describe() const { return text("nn.LayerNorm ", shape); }

  Shape shape;
  LayerNormOptions options;
  Tensor weight, bias;
};

struct RMSNormOptions {
  std::optional<double> eps = std::nullopt;  ///< by default what is between 1 and the next number of the element type
  bool elementwise_affine = true;
  DType dtype = f32;
};

/// x / sqrt(mean of x² + eps) * weight over the last axes, those of `shape`, see scry::rms_norm. Parameter: weight of `shape`, 1 at first.
struct RMSNorm : Module<RMSNorm> {
  explicit RMSNorm(const Shape& shape, const RMSNormOptions& options = {});
  explicit RMSNorm(int64_t size, const RMSNormOptions& given = {}) : RMSNorm(Shape{size}, given) {}
  Tensor forward(const Tensor& x) const { return rms_norm(x, shape, weight, options.eps); }
  std::string describe() const { return text("nn.RMSNorm ", shape); }

  Shape shape;
  RMSNormOptions options;
  Tensor weight;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  DType dtype = f32;
};

/// As LayerNorm, over each of `groups` groups of channels of [N, C, …], see scry::group_norm. Parameters: weight and bias [C], 1 and 0 at first.
struct GroupNorm : Module<GroupNorm> {
  GroupNorm(int64_t groups, int64_t channels, const GroupNormOptions& options = {});
  Tensor forward(const Tensor& x) const;
  std::string describe() const { return text("nn.GroupNorm ", groups, " groups of ", channels, " channels"); }

  int64_t groups, channels;
  GroupNormOptions options;
  Tensor weight, bias;
};

/// x / (k + alpha / size * sum of x² over `size` neighbouring channels)^beta, see scry::local_response_norm.
struct LocalResponseNorm : Module<LocalResponseNorm> {
  explicit LocalResponseNorm(int64_t neighbours, const LocalResponseNormOptions& given = {}) : size(neighbours), options(given) {}
  Tensor forward(const Tensor& x) const { return local_response_norm(x, size, options); }
  std::string describe() const { return text("nn.LocalResponseNorm ", size); }

  int64_t size;
  LocalResponseNormOptions options;
};

}  // namespace scry::nn
