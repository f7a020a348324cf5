#pragma once

#include <scry/core/kernels/conv2d_window.hpp>

namespace scry::kernels {

// Pooling of images [N, C, H, W], f32 or f64, any strides; results lie channels-last. With `ceil_mode` windows may reach past the padding.

/// [N, C, OH, OW]; errors name `op`.
Shape pool2d_output_shape(std::string_view op, const Shape& input, const Window2d& window, bool ceil_mode = false);

/// The maxima of windows, and which element of its window each is: kh * KW + kw, in u8 for kernels of up to 256 elements, else in i64, of the
/// maxima's shape and layout.
struct Pooled {
  Tensor values, indices;
};
/// The first maximum in row-major order of the window wins; NaN is larger than everything; padding takes no part. A window that lies wholly in
/// the padding gives -infinity, and its index points there.
Pooled max_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode = false);
/// The gradient of max_pool2d in x, of shape `input`: every value of `gradient` added where its index points.
Tensor max_pool2d_grad(const Tensor& gradient, const Tensor& indices, const Shape& input, const Window2d& window);
/// The values of x: [N, C, H, W] where the indices point (zero in the padding), of the indices' shape: the gradient of max_pool2d_grad.
Tensor max_pool2d_gather(const Tensor& x, const Tensor& indices, const Window2d& window);

/// The means of windows. With `count_include_pad` the zeros of the padding are elements too; what `ceil_mode` adds behind it never is. A
/// `divisor` other than 0 takes the place of the number of elements.
Tensor avg_pool2d(const Tensor& x, const Window2d& window, bool ceil_mode = false, bool count_include_pad = true, int64_t divisor = 0);
/// The gradient of avg_pool2d in x, of shape `input`.
Tensor avg_pool2d_grad(const Tensor& gradient, const Shape& input, const Window2d& window, bool count_include_pad = true, int64_t divisor = 0);

}  // namespace scry::kernels
