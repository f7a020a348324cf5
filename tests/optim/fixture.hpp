#pragma once

#include <gtest/gtest.h>

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <scry/optim/optim.hpp>

#include <limits>

namespace scry::optim {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// A model for tests: named parameters and buffers.
struct TestModel {
  std::vector<NamedTensor> parameters, buffers;
  std::vector<NamedTensor> named_parameters() const { return parameters; }
  std::vector<NamedTensor> named_buffers() const { return buffers; }

  const Tensor& operator[](std::string_view name) const {
    for (const NamedTensor& each : parameters)
      if (each.name == name) return each.tensor;
    fail("no parameter ", name);
  }
};

/// One weight in double precision.
inline TestModel scalar_model(double value) { return {{{"x", full({1}, value, f64).requires_grad_()}}, {}}; }

/// Tensors of random values with these shapes, "p0", "p1", ….
inline TestModel random_model(const std::vector<Shape>& shapes, uint64_t seed, DType dtype = f32) {
  Generator generator(seed);
  TestModel model;
  for (size_t i = 0; i < shapes.size(); ++i) model.parameters.push_back({text("p", i), randn(shapes[i], dtype, generator).requires_grad_()});
  return model;
}

/// A model with buffers, of this seed.
inline TestModel model_of(uint64_t seed, const std::vector<Shape>& sizes = {{5}, {3, 7}, {}}) {
  TestModel model = random_model(sizes, seed);
  model.buffers = {{"mean", full({3}, static_cast<double>(seed))}, {"count", full({}, static_cast<double>(seed), i64)}};
  return model;
}

/// Gives `x` the gradient `g`, as backward would.
inline void give_gradient(const Tensor& x, const Tensor& g) { autograd::leaf_of(x)->accumulate(g, false); }
inline void give_gradient(const Tensor& x, double g) { give_gradient(x, full(x.shape(), g, x.dtype())); }

/// Gradients that are a function of the weights, the step and the seed: a bent bowl with noise.
inline void give_gradients(const TestModel& model, uint64_t step, uint64_t seed = 0) {
  Generator generator(seed, step << 32);
  for (const NamedTensor& each : model.parameters) {
    autograd::leaf_of(each.tensor)->gradient = {};
    const NoGrad no_grad;
    give_gradient(each.tensor, each.tensor.detach() * 0.5 + randn(each.tensor.shape(), each.tensor.dtype(), generator));
  }
}

/// Steps `from` to `to` with these gradients.
inline void steps(const TestModel& model, Optimizer& optimizer, uint64_t from, uint64_t to) {
  for (uint64_t i = from; i < to; ++i) {
    give_gradients(model, i);
    optimizer.step();
  }
}

/// The weights, bit by bit.
inline std::vector<std::vector<double>> weights_of(const TestModel& model) {
  std::vector<std::vector<double>> all;
  for (const NamedTensor& each : model.parameters) all.push_back(each.tensor.to_vector<double>());
  return all;
}

}  // namespace scry::optim
