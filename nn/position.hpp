#pragma once

#include <scry/nn/module.hpp>

// How a sequence model learns where things are. Inputs are [..., L, E]; positions count from `offset`, for sequences that come in parts.
namespace scry::nn {

/// x + pe with pe[p, 2 i] = sin(p / 10000^(2 i / E)) and pe[p, 2 i + 1] = cos of the same (Vaswani et al. 2017). Buffer: pe [length, E].
struct SinusoidalEncoding : Module<SinusoidalEncoding> {
  SinusoidalEncoding(int64_t length, int64_t width, DType dtype = f32);
  Tensor forward(const Tensor& x, int64_t offset = 0) const;

  Tensor pe;
};

/// x + weight[position]. Parameter: weight [length, E], normal with a deviation of 0.02 at first (Radford et al. 2018).
struct LearnedEncoding : Module<LearnedEncoding> {
  LearnedEncoding(int64_t length, int64_t width, DType dtype = f32);
  Tensor forward(const Tensor& x, int64_t offset = 0) const;

  Tensor weight;
};

/// Turns each pair of neighbours (x[2 i], x[2 i + 1]) by the angle p base^(-2 i / E), so that products of queries and keys depend on the distance of
/// their positions alone (Su et al. 2021). For queries and keys [..., L, E], E even.
struct RotaryEncoding : Module<RotaryEncoding> {
  RotaryEncoding(int64_t length, int64_t width, double base = 10000, DType dtype = f32);
  Tensor forward(const Tensor& x, int64_t offset = 0) const;

  Tensor cosines, sines;  ///< [length, E], each angle's twice
};

}  // namespace scry::nn
