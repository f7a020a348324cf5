#pragma once

#include <scry/core/tensor.hpp>

namespace scry::kernels {

/// One dense run of an elementwise function: out[i] = f(in[0][i], in[1][i], …) for i < n. `function` is the callable's state.
using Loop = void (*)(void* out, const void* const* in, int64_t n, const void* function);

inline constexpr int max_inputs = 4;

/// Applies `loop` to inputs that broadcast to `shape`, into a new tensor. Its layout is that of the first input that has the whole shape and
/// lies dense in some order of the axes (so images that lie channels-last stay so), else row-major.
Tensor elementwise(const Shape& shape, DType dtype, std::initializer_list<const Tensor*> inputs, Loop loop, const void* function);

/// The same into a tensor that exists. An input may be `out` itself, but must not overlap it in another way.
void elementwise_into(const Tensor& out, std::initializer_list<const Tensor*> inputs, Loop loop, const void* function);

/// Strides for a new tensor of `x`'s shape that lies in `x`'s order of axes, where `x` is dense in some order; else row-major ones.
Shape strides_like(const Tensor& x);
/// The same for another shape of that rank.
Shape strides_like(const Tensor& x, const Shape& shape);

}  // namespace scry::kernels
