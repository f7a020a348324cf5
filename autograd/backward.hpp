#pragma once

#include <scry/core/tensor.hpp>
#include <initializer_list>

namespace scry {

struct GradOptions {
  bool create_graph = false;  ///< record the gradients' own computation, for second derivatives; keeps the graph
  bool retain_graph = false;  ///< keep the graph for another backward
  bool allow_unused = false;  ///< an input that the outputs don't depend on gives an undefined tensor instead of an error
};

/// Adds the derivatives of `outputs`, each times its gradient, to the gradients of the leaves. A gradient has its output's shape; an undefined
/// one stands for 1 at a one-element output. Threads that share leaves must take turns, or use `grad`.
/// With create_graph the leaves' gradients are themselves on the tape: as in PyTorch, a leaf and the graph of its gradient then own each other,
/// until the gradient is cleared. `grad` makes no such cycle.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients, const GradOptions& options = {});

/// The derivatives of the sum of `outputs` (each weighted by its gradient) for each of `inputs`, leaves or not; leaves' own gradients stay as they
/// are. Only what lies between outputs and inputs is gone through. Threads may do so at the same time for graphs that share leaves.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, const GradOptions& options = {},
                         std::span<const Tensor> gradients = {});
/// The same for one output.
std::vector<Tensor> grad(const Tensor& output, std::span<const Tensor> inputs, const GradOptions& options = {}, const Tensor& gradient = {});
inline std::vector<Tensor> grad(const Tensor& output, std::initializer_list<Tensor> inputs, const GradOptions& options = {},
                                const Tensor& gradient = {}) {
  return grad(output, std::span(inputs.begin(), inputs.size()), options, gradient);
}
/// The same for one output and one input.
Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options = {}, const Tensor& gradient = {});

}  // namespace scry
