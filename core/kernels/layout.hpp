#pragma once

#include <scry/core/tensor.hpp>

// Images and sequences have shape [N, C, spatial…] and lie channels-last: the channels of one place side by side.
namespace scry::kernels {

/// The strides of a dense channels-last tensor of this shape (two axes or more).
Shape channels_last_strides(const Shape& shape);
/// Whether `x` is dense and channels-last, so that its memory is a row-major matrix of [N * spatial, C].
bool is_channels_last(const Tensor& x);
/// x itself where it is channels-last, else a copy that is.
Tensor channels_last(const Tensor& x);
/// Whether x is a handle, the last one, on dense memory that nobody else looks at: an op that takes x for itself may write its result there.
bool expendable(const Tensor& x);
/// A new channels-last tensor, contents unspecified.
Tensor empty_channels_last(const Shape& shape, DType dtype);

}  // namespace scry::kernels
