#pragma once

#include <scry/core/tensor.hpp>
#include <functional>

namespace scry {

/// A function of tensors, for the checks below; its result may have any shape.
using TensorFunction = std::function<Tensor(std::span<const Tensor>)>;

struct GradcheckOptions {
  double step = 1e-6;      ///< of the central differences
  double relative = 1e-6;  ///< allowed error, relative to the derivative …
  double absolute = 1e-7;  ///< … plus this
};

/// Compares the tape's derivatives of `function` at `inputs` (f64; those that require a gradient are checked) with central differences, for
/// the scalar product of the result with fixed random weights. Throws Error naming input and element where they disagree.
void gradcheck(const TensorFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options = {});

/// The same for the derivatives of the derivatives: gradcheck of the function that maps inputs, and the gradient of the result, to the inputs'
/// gradients.
void gradgradcheck(const TensorFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options = {});

}  // namespace scry
