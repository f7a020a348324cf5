#pragma once

#include <scry/autograd/ops/window.hpp>
#include <optional>

namespace scry {

struct MaxPoolOptions {
  std::optional<Pair> stride = std::nullopt;  ///< the kernel's size where it isn't given
  Padding padding = 0;                        ///< smaller than the kernel
  Pair dilation = 1;
  bool ceil_mode = false;  ///< round the output's size up: windows may reach past the end
};

struct AvgPoolOptions {
  std::optional<Pair> stride = std::nullopt;
  Padding padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;                           ///< the zeros of the padding are elements of the mean
  std::optional<int64_t> divisor_override = std::nullopt;  ///< instead of the number of elements
};

struct LpPoolOptions {
  std::optional<Pair> stride = std::nullopt;
  bool ceil_mode = false;
};

// Windows of x: [N, C, H, W] in two dimensions, [N, C, L] in one; f32 or f64. The sizes of results are those of conv2d.
/// The largest value in each window; padding takes no part, NaN wins. Gradient: to the first largest.
Tensor max_pool2d(const Tensor& x, Pair kernel, const MaxPoolOptions& options = {});
Tensor max_pool1d(const Tensor& x, int64_t kernel, const MaxPoolOptions& options = {});

struct MaxPooled {
  Tensor values;
  Tensor indices;  ///< i64: where each value lies in its channel, as row * W + column
};
MaxPooled max_pool2d_with_indices(const Tensor& x, Pair kernel, const MaxPoolOptions& options = {});
MaxPooled max_pool1d_with_indices(const Tensor& x, int64_t kernel, const MaxPoolOptions& options = {});
/// The reverse: x: [N, C, H, W] (or [N, C, L]) put where the indices say in channels of `size` that hold zeros elsewhere.
Tensor max_unpool2d(const Tensor& x, const Tensor& indices, Pair size);
Tensor max_unpool1d(const Tensor& x, const Tensor& indices, int64_t size);

/// The mean of each window.
Tensor avg_pool2d(const Tensor& x, Pair kernel, const AvgPoolOptions& options = {});
Tensor avg_pool1d(const Tensor& x, int64_t kernel, const AvgPoolOptions& options = {});
/// (sum of xᵖ)^(1/p) of each window; one that reaches past the end counts as if it were full of its mean, as in PyTorch.
Tensor lp_pool2d(const Tensor& x, double p, Pair kernel, const LpPoolOptions& options = {});
Tensor lp_pool1d(const Tensor& x, double p, int64_t kernel, const LpPoolOptions& options = {});

// Results of a given size: window i of n goes from i L / n, rounded down, to (i + 1) L / n, rounded up.
Tensor adaptive_avg_pool2d(const Tensor& x, Pair size);
Tensor adaptive_avg_pool1d(const Tensor& x, int64_t size);
Tensor adaptive_max_pool2d(const Tensor& x, Pair size);
Tensor adaptive_max_pool1d(const Tensor& x, int64_t size);

}  // namespace scry
