#include <scry/autograd/backward.hpp>
#include <scry/autograd/grad_mode.hpp>
#include <scry/autograd/hessian.hpp>
#include <scry/core/creation.hpp>

namespace scry {

std::vector<Tensor> hvp(const Tensor& loss, std::span<const Tensor> inputs, std::span<const Tensor> vectors) {
  require(inputs.size() == vectors.size(), "hvp: ", inputs.size(), " inputs and ", vectors.size(), " vectors");
  for (size_t i = 0; i < inputs.size(); ++i)
    require(inputs[i].defined() && vectors[i].defined() && inputs[i].shape() == vectors[i].shape(), "hvp: vector ", i,
            " must have its input's shape, ", inputs[i].defined() ? inputs[i].shape() : Shape{}, ", got ",
            vectors[i].defined() ? vectors[i].shape() : Shape{});
  const std::vector<Tensor> first = grad(loss, inputs, {.create_graph = true, .allow_unused = true});
  std::vector<Tensor> gradients, weights;  // those that vary at all
  for (size_t i = 0; i < first.size(); ++i) {
    if (!first[i].defined() || !first[i].requires_grad()) continue;
    gradients.push_back(first[i]);
    weights.push_back(vectors[i].detach());
  }
  std::vector<Tensor> products(inputs.size());
  if (!gradients.empty()) products = grad(gradients, inputs, {.retain_graph = true, .allow_unused = true}, weights);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!products[i].defined()) products[i] = zeros(inputs[i].shape(), inputs[i].dtype());
  return products;
}

Tensor hvp(const Tensor& loss, const Tensor& input, const Tensor& vector) { return hvp(loss, std::span(&input, 1), std::span(&vector, 1)).front(); }

}  // namespace scry
