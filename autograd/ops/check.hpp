#pragma once

#include <scry/core/creation.hpp>
#include <cmath>

// Checks that ops share; each names the op in its error.
namespace scry::autograd {

inline void require_defined(std::string_view op, const Tensor& x) {
  require(x.defined(), op, ": the tensor is undefined; assign it before it is used");
}

inline void require_both(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.defined() && b.defined(), op, ": the ", a.defined() ? "second" : "first", " tensor is undefined");
}

/// The axis counted from the front, of a tensor that is defined.
inline int checked_axis(std::string_view op, const Tensor& x, int axis) {
  require_defined(op, x);
  return wrap_axis(op, axis, x.rank());
}

inline void require_floating(std::string_view op, const Tensor& x) {
  require_defined(op, x);
  require(is_floating(x.dtype()), op, ": expected f32 or f64, got ", x.dtype(), " of shape ", x.shape(), "; convert with cast(x, f32)");
}

inline void require_same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.dtype() == b.dtype(), op, ": the tensors of shapes ", a.shape(), " and ", b.shape(), " are ", a.dtype(), " and ", b.dtype(),
          "; convert one with cast");
}

inline void require_rank(std::string_view op, std::string_view argument, const Tensor& x, int rank) {
  require(x.defined(), op, ": ", argument, " is undefined");
  require(x.rank() == rank, op, ": ", argument, " must have ", rank, " axes, got shape ", x.shape());
}

/// The type in which a tensor meets a number: its own, but f32 where a fraction meets integers, and i64 for bools.
inline DType with_number(const Tensor& x, double number) {
  if (is_floating(x.dtype())) return x.dtype();
  return number != std::floor(number) ? f32 : x.dtype() == boolean ? i64 : x.dtype();
}

/// The number as a tensor of that type.
inline Tensor beside(std::string_view op, const Tensor& x, double number) {
  require_defined(op, x);
  return scalar(number, with_number(x, number));
}

}  // namespace scry::autograd
