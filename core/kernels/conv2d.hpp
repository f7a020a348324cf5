#pragma once

#include <scry/core/kernels/conv2d_packed.hpp>
#include <scry/core/kernels/conv2d_window.hpp>

namespace scry::kernels {

// Convolution (cross-correlation, as everywhere in deep learning) of images x: [N, C, H, W] with weight: [O, C / groups, KH, KW], f32 or f64,
// any strides. Results lie channels-last. `window.kernel` must be the weight's. Sums run in an order that the shapes alone decide.

/// [N, O, OH, OW].
Shape conv2d_output_shape(const Shape& input, const Shape& weight, const Window2d& window, int64_t groups = 1);

/// `bias`: [O] or undefined. `kept` holds what calls with the same weight, window and groups may share.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window2d& window, int64_t groups = 1, PackedWeights* kept = nullptr);

/// The gradient of conv2d in x, of shape `input`, given that in its result. A `sum` of this shape, if there is one, is added, in its memory where
/// that is expendable.
Tensor conv2d_input_grad(const Tensor& gradient, const Tensor& weight, const Shape& input, const Window2d& window, int64_t groups = 1,
                         Tensor sum = {});

/// The gradient of conv2d in the weight, of shape `weight`, row-major.
Tensor conv2d_weight_grad(const Tensor& gradient, const Tensor& x, const Shape& weight, const Window2d& window, int64_t groups = 1);
/// The same, written into `out`: [O, C / groups, KH, KW], row-major.
void conv2d_weight_grad_into(const Tensor& out, const Tensor& gradient, const Tensor& x, const Window2d& window, int64_t groups = 1);

}  // namespace scry::kernels
