#pragma once

#include <scry/core/tensor.hpp>
#include <optional>

namespace scry {

// Ops that write their result into their first tensor, and return it. Views and copies of its handle see the change; a value that the tape saved
// and that changes so is an error in backward. They are refused on computed tensors that are on the tape (so also on views of such, and of
// parameters); on leaves that require a gradient they need NoGrad. The other operand broadcasts to the tensor's shape, may overlap with it in
// any way, is converted to its type (a float doesn't go into integers), and must not need a gradient outside NoGrad. After an error nothing has
// changed.
const Tensor& add_(const Tensor& x, const Tensor& y, double alpha = 1);  ///< x += alpha y
const Tensor& sub_(const Tensor& x, const Tensor& y, double alpha = 1);  ///< x -= alpha y
const Tensor& mul_(const Tensor& x, const Tensor& y);
const Tensor& div_(const Tensor& x, const Tensor& y);
const Tensor& add_(const Tensor& x, double y);
const Tensor& sub_(const Tensor& x, double y);
const Tensor& mul_(const Tensor& x, double y);
const Tensor& div_(const Tensor& x, double y);

const Tensor& copy_(const Tensor& x, const Tensor& y);  ///< x = y; any type goes into any
const Tensor& fill_(const Tensor& x, double value);
const Tensor& zero_(const Tensor& x);
const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, double value);  ///< x = value where the bool mask holds

const Tensor& clamp_(const Tensor& x, std::optional<double> low, std::optional<double> high = std::nullopt);
const Tensor& pow_(const Tensor& x, double exponent);
const Tensor& neg_(const Tensor& x);
const Tensor& abs_(const Tensor& x);
const Tensor& square_(const Tensor& x);
const Tensor& exp_(const Tensor& x);
const Tensor& log_(const Tensor& x);
const Tensor& sqrt_(const Tensor& x);
const Tensor& relu_(const Tensor& x);
const Tensor& sigmoid_(const Tensor& x);
const Tensor& tanh_(const Tensor& x);

}  // namespace scry
