#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

// New tensors of the same elements in other places, of any type and layout. Axes may be negative, counted from the back. The gradient goes
// back to where the elements came from.

/// The tensors one after the other along an axis, in the common type; their other axes have the same sizes.
Tensor cat(std::span<const Tensor> parts, int axis = 0);
Tensor cat(std::initializer_list<Tensor> parts, int axis = 0);
/// The tensors, of one shape, side by side along a new axis.
Tensor stack(std::span<const Tensor> parts, int axis = 0);
Tensor stack(std::initializer_list<Tensor> parts, int axis = 0);

/// x `counts[i]` times along axis i; more counts than axes make new axes at the front.
Tensor repeat(const Tensor& x, std::span<const int64_t> counts);
Tensor repeat(const Tensor& x, std::initializer_list<int64_t> counts);
/// As `repeat`, where axes at the front that have no count come once (NumPy's tile).
Tensor tile(const Tensor& x, std::span<const int64_t> counts);
Tensor tile(const Tensor& x, std::initializer_list<int64_t> counts);
/// Every slice of an axis `count` times before the next one.
Tensor repeat_interleave(const Tensor& x, int64_t count, int axis);

/// Some axes (none given means all) in reverse.
Tensor flip(const Tensor& x, std::span<const int> axes);
Tensor flip(const Tensor& x, std::initializer_list<int> axes);
/// Each element `shift` places further along its axis, and from its end to its start; of all elements in row-major order without axes.
Tensor roll(const Tensor& x, std::span<const int64_t> shifts, std::span<const int> axes);
Tensor roll(const Tensor& x, std::initializer_list<int64_t> shifts, std::initializer_list<int> axes);
Tensor roll(const Tensor& x, int64_t shift);

}  // namespace scry
