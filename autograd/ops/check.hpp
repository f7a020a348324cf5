#pragma once

#include <scry/core/tensor.hpp>

// Checks that ops share; each names the op in its error.
namespace scry::autograd {

inline void require_defined(std::string_view op, const Tensor& x) {
  require(x.defined(), op, ": the tensor is undefined; assign it before it is used");
}

inline void require_floating(std::string_view op, const Tensor& x) {
  require_defined(op, x);
  require(is_floating(x.dtype()), op, ": expected f32 or f64, got ", x.dtype(), " of shape ", x.shape(), "; convert with cast(x, f32)");
}

inline void require_same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.dtype() == b.dtype(), op, ": the tensors are ", a.dtype(), " and ", b.dtype(), "; convert one with cast");
}

inline void require_rank(std::string_view op, std::string_view argument, const Tensor& x, int rank) {
  require(x.defined(), op, ": ", argument, " is undefined");
  require(x.rank() == rank, op, ": ", argument, " must have ", rank, " axes, got shape ", x.shape());
}

}  // namespace scry::autograd
