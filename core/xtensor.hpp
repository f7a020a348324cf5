#pragma once

// xtensor's expressions and tensors. Not part of core.hpp: a file that includes xtensor takes seconds to compile. An expression must never be
// kept in an `auto` longer than what it was made of: it holds references.

#include <scry/core/tensor.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xoperation.hpp>
#include <xtensor/xstrided_view.hpp>

namespace scry {

/// A new tensor with the values of any xtensor expression of at most 8 axes. bool, uint8_t, int64_t, float and double stay what they are; other
/// integers become i64, other floats f64.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  using Value = typename E::value_type;
  static_assert(std::is_arithmetic_v<Value>, "tensors hold numbers");
  using T = std::conditional_t<is_element<Value>, Value, std::conditional_t<std::is_integral_v<Value>, int64_t, double>>;
  const E& from = expression.derived_cast();
  const std::vector<size_t> sizes(from.shape().begin(), from.shape().end());
  Shape shape;
  for (size_t size : sizes) shape.push_back(static_cast<int64_t>(size));
  const Tensor out = Tensor::empty(shape, dtype_of<T>());
  if (out.numel() == 0) return out;
  auto to = xt::adapt(static_cast<T*>(out.raw()), static_cast<size_t>(out.numel()), xt::no_ownership(), sizes);
  xt::noalias(to) = xt::cast<T>(from);
  return out;
}

namespace detail {

template <class T>
auto strided_xtensor(T* first, const Tensor& x) {
  // The memory from the element that lies lowest to the one that lies highest; xtensor steps through axes of one element by 0.
  int64_t low = 0, high = x.numel() > 0 ? 0 : -1;
  std::vector<size_t> sizes;
  std::vector<std::ptrdiff_t> steps;
  for (int i = 0; i < x.rank(); ++i) {
    sizes.push_back(static_cast<size_t>(x.shape()[i]));
    steps.push_back(x.shape()[i] == 1 ? 0 : x.strides()[i]);
    if (x.numel() > 0) (x.strides()[i] < 0 ? low : high) += (x.shape()[i] - 1) * x.strides()[i];
  }
  const auto count = static_cast<size_t>(high - low + 1);
  return xt::strided_view(xt::adapt(first + low, count, xt::no_ownership(), std::vector<size_t>{count}), std::move(sizes), std::move(steps),
                          static_cast<size_t>(-low), xt::layout_type::dynamic);
}

}  // namespace detail

/// The tensor as an xtensor expression, whatever its strides, without a copy. T must be its element type. It looks at the tensor's memory, and
/// doesn't keep it alive.
template <class T>
auto as_xtensor(const Tensor& x) {
  return detail::strided_xtensor(x.data<T>(), x);
}
/// The same, for writing; the tape is told that the values change.
template <class T>
auto as_mutable_xtensor(Tensor& x) {
  return detail::strided_xtensor(x.mutable_data<T>(), x);
}

}  // namespace scry
