#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// Axes to reduce: any number of them, negative ones counted from the back; none means all.
struct AxesArgument {
  AxesArgument() = default;
  AxesArgument(int axis) : axes{axis} {}
  AxesArgument(std::initializer_list<int> list) : axes(list) {}
  explicit AxesArgument(std::vector<int> list) : axes(std::move(list)) {}
  std::vector<int> axes;
};

/// The sum over `axes`, accurate to the last place (floats are added in double). Integers and bools give i64. Gradient: g, expanded.
Tensor sum(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// The mean over `axes`; f32 or f64. Of no elements it is NaN.
Tensor mean(const Tensor& x, const AxesArgument& axes = {}, bool keepdim = false);
/// The index (i64) of the first largest element along `axis`; NaN counts as largest. No gradient.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
/// x summed over the axes in which `shape` broadcasts to x's shape.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace scry
