#pragma once

#include <scry/autograd/ops/reduce.hpp>

namespace scry {

// Along an axis, by default the last; NaN counts as largest, and equal elements always stay in order. Values' gradient: g to the elements taken.
ValuesAndIndices sort(const Tensor& x, int axis = -1, bool descending = false);
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false);
/// The k largest (or smallest) elements in order, the best first.
ValuesAndIndices topk(const Tensor& x, int64_t k, int axis = -1, bool largest = true);

}  // namespace scry
