#include <scry/autograd/backward.hpp>
#include <scry/autograd/run.hpp>

namespace scry {
namespace {

// Everything that can be wrong is found before anything changes.
void check(std::span<const Tensor> outputs, std::span<const Tensor> gradients) {
  require(gradients.empty() || gradients.size() == outputs.size(), "backward: ", outputs.size(), " tensors and ", gradients.size(), " gradients");
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    require(output.defined() && output.requires_grad(),
            "backward: the tensor is not on the tape: nothing that it was computed from requires a gradient "
            "(call requires_grad_() on the leaves), or it was computed under NoGrad");
    if (!gradients.empty() && gradients[i].defined())
      require(gradients[i].shape() == output.shape(), "backward: the gradient has shape ", gradients[i].shape(), ", the tensor ", output.shape());
    else
      require(output.numel() == 1, "backward: the tensor has shape ", output.shape(),
              "; reduce it to one element, as with sum(), or pass a gradient of that shape");
  }
}

}  // namespace

void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients, const GradOptions& options) {
  check(outputs, gradients);
  autograd::Run(options).go(outputs, gradients);
}

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs, const GradOptions& options,
                         std::span<const Tensor> gradients) {
  check(outputs, gradients);
  for (const Tensor& input : inputs)
    require(input.defined() && input.requires_grad(), "grad: an input does not require a gradient; call requires_grad_() on it before it is used");
  autograd::Run run(options, inputs);
  run.go(outputs, gradients);
  std::vector<Tensor> results;
  for (const Tensor& input : inputs) {
    results.push_back(run.gradient_of(input));
    require(results.back().defined() || options.allow_unused, "grad: the outputs don't depend on input ", results.size() - 1,
            "; set allow_unused for an undefined tensor in its place");
  }
  return results;
}

std::vector<Tensor> grad(const Tensor& output, std::span<const Tensor> inputs, const GradOptions& options, const Tensor& gradient) {
  return grad(std::span(&output, 1), inputs, options, std::span(&gradient, 1));
}

Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options, const Tensor& gradient) {
  return grad(output, std::span(&input, 1), options, gradient).front();
}

}  // namespace scry
