#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// A stream of random numbers that is a pure function of (seed, counter): Philox4x32-10 (Salmon et al., SC 2011), 128 bits a block.
/// Tensors take blocks by element index, so their values don't depend on the number of threads, and two numbers are the whole state.
class Generator {
 public:
  explicit Generator(uint64_t seed = 0, uint64_t counter = 0) : seed_(seed), counter_(counter) {}

  uint64_t seed() const { return seed_; }
  /// Blocks used so far. A generator made from seed() and counter() goes on with the same numbers.
  uint64_t counter() const { return counter_; }

  /// 64 random bits; uses one block.
  uint64_t next();
  /// An integer in [0, n), every one as likely (Lemire 2019). n >= 1.
  int64_t below(int64_t n);
  /// Sets `blocks` blocks aside and returns the counter of the first.
  uint64_t reserve(uint64_t blocks);

 private:
  uint64_t seed_, counter_;
};

/// The generator used where none is given: one a thread, seed 0 at its start.
Generator& default_generator();
/// Starts this thread's default generator anew from `seed`.
void manual_seed(uint64_t seed);

// New tensors of f32 or f64.
/// Uniform in [low, high).
Tensor uniform(const Shape& shape, double low, double high, DType dtype = f32, Generator& generator = default_generator());
/// Normal with mean 0 and variance 1 (Box and Muller 1958).
Tensor randn(const Shape& shape, DType dtype = f32, Generator& generator = default_generator());
/// 1 with probability p, else 0.
Tensor bernoulli(const Shape& shape, double p, DType dtype = f32, Generator& generator = default_generator());
/// i64 integers in [low, high).
Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator = default_generator());
/// i64: 0 … n - 1 in random order.
Tensor randperm(int64_t n, Generator& generator = default_generator());

/// Uniform in [0, 1).
inline Tensor rand(const Shape& shape, DType dtype = f32, Generator& generator = default_generator()) {
  return uniform(shape, 0, 1, dtype, generator);
}

inline Tensor rand_like(const Tensor& x, Generator& generator = default_generator()) { return rand(x.shape(), x.dtype(), generator); }
inline Tensor randn_like(const Tensor& x, Generator& generator = default_generator()) { return randn(x.shape(), x.dtype(), generator); }

}  // namespace scry
