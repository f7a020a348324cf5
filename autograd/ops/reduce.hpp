#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// Axes to reduce: any number of them, negative ones counted from the back; none means all.
class AxesArgument {
 public:
  AxesArgument() = default;
  AxesArgument(int axis) : count_(1), axes_{axis} {}
  AxesArgument(std::initializer_list<int> list) : AxesArgument(std::span(list.begin(), list.size())) {}
  explicit AxesArgument(std::span<const int> list) {
    require(list.size() <= Shape::max_rank, "reduction: ", list.size(), " axes, and tensors have at most ", Shape::max_rank);
    for (int axis : list) axes_[count_++] = axis;
  }
  std::span<const int> list() const { return {axes_, count_}; }

 private:
  size_t count_ = 0;
  int axes_[Shape::max_rank]{};
};

// Reductions over any axes, which disappear from the shape or, with `keepdim`, stay with size 1.
/// The sum over `axes`, accurate to the last place (floats are added in double). Integers and bools give i64. Gradient: g, expanded.
Tensor sum(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// The mean over `axes`; f32 or f64. Of no elements it is NaN.
Tensor mean(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// The product, of types as the sum. Gradient: g times the product of all other elements, also where some are zero.
Tensor prod(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// The largest or smallest element, NaN if there is one; the axes must not be empty. Gradient: g, shared evenly among equal elements.
Tensor amax(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// Whether all, or any, elements differ from zero; of none, true and false.
Tensor all(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
Tensor any(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// How many elements differ from zero (i64).
Tensor count_nonzero(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);

struct VarianceOptions {
  double correction = 1;  ///< subtracted from the number of elements in the divisor; 0 for the variance of a population
  bool keepdim = false;
};
/// The variance and its root, f32 or f64, accurate far from zero too. NaN for too few elements. Gradient of var: 2 g (x - mean) / (n - correction).
Tensor var(const Tensor& x, const AxesArgument& axes = {}, const VarianceOptions& options = {});
Tensor std(const Tensor& x, const AxesArgument& axes = {}, const VarianceOptions& options = {});
/// (sum of |x|^p)^(1/p) over all of `axes` together, f32 or f64; p may be infinite (the largest |x|, or the smallest), or 0 (how many aren't zero).
/// Gradient: g sign(x) (|x| / y)^(p - 1), and 0 where y is 0.
Tensor norm(const Tensor& x, double p = 2, const AxesArgument& axes = {}, bool keepdim = false);
/// log(sum of exp(x)), without overflow. Gradient: g exp(x - y).
Tensor logsumexp(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);

struct ValuesAndIndices {
  Tensor values;
  Tensor indices;  ///< i64
};
/// The largest or smallest element along an axis (NaN counts as both) and where the first such lies. Gradient: g to that element.
ValuesAndIndices max(const Tensor& x, int axis, bool keepdim = false);
ValuesAndIndices min(const Tensor& x, int axis, bool keepdim = false);
/// Over everything, as amax and amin.
Tensor max(const Tensor& x);
Tensor min(const Tensor& x);
/// The index (i64) of the first largest or smallest element along `axis`, or without one in row-major order; NaN counts as both. No gradient.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
Tensor argmin(const Tensor& x, int axis, bool keepdim = false);
Tensor argmax(const Tensor& x);
Tensor argmin(const Tensor& x);

/// x summed over the axes in which `shape` broadcasts to x's shape.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace scry
