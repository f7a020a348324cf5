#pragma once

// What the sources of losses share.

#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/ops/loss.hpp>
#include <scry/autograd/ops/reduce.hpp>

namespace scry::autograd {

inline Tensor reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean: return mean(losses);
    case Reduction::sum: return sum(losses);
    case Reduction::none: return losses;
    case Reduction::batch_mean: break;
  }
  require(losses.rank() > 0, "loss: the mean over a batch needs an axis, the losses have none");
  return sum(losses) / static_cast<double>(losses.size(0));
}

inline void require_same_shape(std::string_view op, const Tensor& a, const Tensor& b) {
  require_floating(op, a);
  require_floating(op, b);
  require_same_dtype(op, a, b);
  require(a.shape() == b.shape(), op, ": expected tensors of one shape, got ", a.shape(), " and ", b.shape());
}

/// Labels as i64 [count] in [0, classes), or -1 where they were `ignore_index`; others are an error.
Tensor checked_labels(std::string_view op, const Tensor& labels, int64_t classes, int64_t ignore_index);

}  // namespace scry::autograd
