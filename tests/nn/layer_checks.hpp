#pragma once

// What the tests of layers share.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/nn/nn.hpp>

#include "support.hpp"

namespace scry::test {

/// Checks the derivatives of call(layer, x) for its input and all the layer's parameters by central differences. Everything must be f64.
template <class Layer, class Call>
  requires std::is_invocable_v<Call, const Layer&, const Tensor&>
void check_gradients(const Layer& layer, const Shape& shape, const Call& call, uint64_t seed = 1) {
  Generator generator(seed);
  std::vector<Tensor> inputs{uniform(shape, -1, 1, f64, generator).requires_grad_()};
  for (const Tensor& p : layer.parameters()) inputs.push_back(p);
  const auto run = [&](std::span<const Tensor> x) { return call(layer, x[0]); };
  EXPECT_EQ(message_of([&] { gradcheck(run, inputs); }), "nothing was thrown");
  EXPECT_EQ(message_of([&] { gradgradcheck(run, inputs, {.relative = 1e-5, .absolute = 1e-6}); }), "nothing was thrown");
}

/// The same of the layer called with the input alone.
template <class Layer>
void check_gradients(const Layer& layer, const Shape& shape, uint64_t seed = 1) {
  check_gradients(
      layer, shape, [](const Layer& l, const Tensor& x) { return l(x); }, seed);
}

inline void expect_close(const Tensor& got, const Tensor& expected, double tolerance) {
  ASSERT_EQ(got.shape(), expected.shape());
  const std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  double largest = 1e-30;
  for (const double v : b) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_LE(std::abs(a[i] - b[i]), tolerance * largest) << "element " << i << ": " << a[i] << " instead of " << b[i];
}

}  // namespace scry::test
