#pragma once

#include <scry/core/tensor.hpp>

// Elements looked up by an index tensor (i64) along one axis. With axis 1 of three, element [i, j, k] of the index speaks of element
// [i, index[i, j, k], k]; along the other axes the index may be shorter.
namespace scry::kernels {

/// `index` with every entry in [0, size) of an axis of `shape`; negative ones count from the back where `negative` allows them. Others are
/// an error in the name of `op`. The kernels below take such indices only, since nothing can be thrown inside them.
Tensor checked_index(std::string_view op, const Tensor& index, const Shape& shape, int axis, bool negative = true);

/// The elements that the index speaks of, in its shape.
Tensor gather(const Tensor& x, int axis, const Tensor& index);
/// Those elements of `out` = the values of `x`, of the index's shape. Where several meet, the last one in row-major order stays.
void scatter_into(const Tensor& out, int axis, const Tensor& index, const Tensor& x);
/// Those elements of `out` += the values of `x`, in row-major order, whatever the number of threads.
void scatter_add_into(const Tensor& out, int axis, const Tensor& index, const Tensor& x);

/// Where the elements of x that aren't 0 lie in row-major order: [count].
Tensor nonzero_positions(const Tensor& x);
/// Positions in a row-major tensor of this shape as indices: [count, rank].
Tensor unravel(const Tensor& positions, const Shape& shape);

}  // namespace scry::kernels
