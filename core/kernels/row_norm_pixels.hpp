#pragma once

#include <scry/core/kernels/row_norm.hpp>

namespace scry::kernels {

// row_norm of images that lie channels-last: [N, C, spatial…] in groups of channels. Sums run by channel, and meet in their groups.
RowNormResult pixel_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const RowNorm& norm);
RowNormGradients pixel_norm_gradients(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& inverse,
                                      const RowNorm& norm);

}  // namespace scry::kernels
