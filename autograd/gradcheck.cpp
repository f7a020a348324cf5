#include <scry/autograd/backward.hpp>
#include <scry/autograd/gradcheck.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/random.hpp>
#include <cmath>

namespace scry {
namespace {

Tensor weights_for(const Tensor& y, uint64_t seed) {
  Generator generator(seed);
  return uniform(y.shape(), 0.5, 1.5, y.dtype(), generator);
}

double weighted_sum(const Tensor& y, const Tensor& weights) { return sum(y.detach() * weights).item(); }

// The place of the i-th element in row-major order.
double* element(const Tensor& x, int64_t i) {
  int64_t offset = 0;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    offset += i % x.shape()[axis] * x.strides()[axis];
    i /= x.shape()[axis];
  }
  return static_cast<double*>(x.raw()) + offset;
}

// The derivative by central differences, changing the element in place under the tape's eyes: every evaluation is a new graph.
double numerical(const TensorFunction& function, std::span<const Tensor> inputs, const Tensor& x, int64_t i, const Tensor& weights, double step) {
  double* at = element(x, i);
  const double value = *at;
  *at = value + step;
  const double above = weighted_sum(function(inputs), weights);
  *at = value - step;
  const double below = weighted_sum(function(inputs), weights);
  *at = value;
  return (above - below) / (2 * step);
}

}  // namespace

void gradcheck(const TensorFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options) {
  std::vector<Tensor> wanted;
  for (const Tensor& x : inputs) {
    if (!x.defined() || !x.requires_grad()) continue;
    require(x.dtype() == f64, "gradcheck: inputs must be f64, got ", x.dtype(), ": f32 is too coarse for differences");
    wanted.push_back(x);
  }
  const Tensor y = function(inputs);
  require(y.requires_grad(), "gradcheck: the result is not on the tape");
  const Tensor weights = weights_for(y, 1);
  const std::vector<Tensor> gradients = grad(std::span(&y, 1), wanted, {.allow_unused = true}, std::span(&weights, 1));
  for (size_t k = 0; k < wanted.size(); ++k) {
    const std::vector<double> analytic =
        gradients[k].defined() ? gradients[k].to_vector<double>() : std::vector<double>(static_cast<size_t>(wanted[k].numel()));
    for (int64_t i = 0; i < wanted[k].numel(); ++i) {
      const double expected = numerical(function, inputs, wanted[k], i, weights, options.step), got = analytic[static_cast<size_t>(i)];
      require(std::abs(got - expected) <= options.absolute + options.relative * std::abs(expected), "gradcheck: input ", k, " of shape ",
              wanted[k].shape(), ", element ", i, ": the tape says ", got, ", central differences ", expected);
    }
  }
}

void gradgradcheck(const TensorFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options) {
  const Tensor y = function(inputs);
  const Tensor seed = weights_for(y, 2).requires_grad_();
  std::vector<Tensor> all(inputs.begin(), inputs.end());
  all.push_back(seed);
  const auto first_derivatives = [&](std::span<const Tensor> given) {
    const EnableGrad mode;
    std::vector<Tensor> wanted;
    for (const Tensor& x : given.first(given.size() - 1))
      if (x.defined() && x.requires_grad()) wanted.push_back(x);
    const Tensor out = function(given.first(given.size() - 1));
    const std::vector<Tensor> gradients = grad(std::span(&out, 1), wanted, {.create_graph = true, .allow_unused = true}, std::span(&given.back(), 1));
    Tensor total;
    for (size_t k = 0; k < gradients.size(); ++k) {
      if (!gradients[k].defined()) continue;
      const Tensor term = sum(gradients[k] * weights_for(gradients[k], 3 + k));
      total = total.defined() ? total + term : term;
    }
    return total;
  };
  gradcheck(first_derivatives, all, options);
}

}  // namespace scry
