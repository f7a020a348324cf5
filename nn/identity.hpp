#pragma once

#include <scry/nn/module.hpp>

namespace scry::nn {

/// x itself.
struct Identity : Module<Identity> {
  Tensor forward(const Tensor& x) const { return x; }
  std::string describe() const { return "nn.Identity"; }
};

/// Any function, as a module: `nn::Lambda{[](const Tensor& x) { return x * 2; }}`.
template <class F>
struct Lambda : Module<Lambda<F>> {
  explicit Lambda(F f) : function(std::move(f)) {}
  template <class... Args>
  auto forward(const Args&... args) const {
    return function(args...);
  }
  std::string describe() const { return "nn.Lambda"; }

  F function;
};

}  // namespace scry::nn
