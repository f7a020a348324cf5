#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

struct GradOptions {
  bool create_graph = false;  ///< record the gradients' own computation, for second derivatives; keeps the graph
  bool retain_graph = false;  ///< keep the graph for another backward
  bool allow_unused = false;  ///< an input that the outputs don't depend on gives an undefined tensor instead of an error
};

/// Adds the derivatives of `outputs`, each times its gradient, to the gradients of the leaves. A gradient has its output's shape; an undefined
/// one stands for 1 at a one-element output. With create_graph the leaves' gradients are themselves on the tape:
/// a leaf and the graph of its gradient then own each other until the gradient is cleared; `grad` has no such cycle.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients, const GradOptions& options = {});

/// The derivatives of the sum of `outputs` (each weighted by its gradient) for each of `inputs`, leaves or not; leaves' own gradients stay as they
/// are.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, const GradOptions& options = {},
                         std::span<const Tensor> gradients = {});
/// The same for one output and one input.
Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options = {}, const Tensor& gradient = {});

}  // namespace scry
