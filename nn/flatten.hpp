#pragma once

#include <scry/autograd/ops/view.hpp>
#include <scry/nn/module.hpp>

namespace scry::nn {

/// Axes `first` to `last`, both included, as one; by default all but the batch axis.
struct Flatten : Module<Flatten> {
  explicit Flatten(int first_axis = 1, int last_axis = -1) : first(first_axis), last(last_axis) {}
  Tensor forward(const Tensor& x) const { return flatten(x, first, last); }
  std::string describe() const { return "nn.Flatten"; }

  int first, last;
};

/// One axis as several, of which one size may be -1.
struct Unflatten : Module<Unflatten> {
  Unflatten(int which, const Shape& into) : axis(which), sizes(into) {}
  Tensor forward(const Tensor& x) const;
  std::string describe() const { return text("nn.Unflatten axis ", axis, " to ", sizes); }

  int axis;
  Shape sizes;
};

}  // namespace scry::nn
