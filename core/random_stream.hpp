#pragma once

#include <cstdint>

namespace scry {

/// A part of a generator's numbers that was set aside: kernels that don't keep a random mask compute it again from this.
struct RandomStream {
  uint64_t seed = 0, start = 0;

  /// out[i] = `value` with probability p, else 0: numbers `first` to first + n of the stream, of f32 or f64; `first` is a multiple of 4. The
  /// stream has a block for every 4 (f32) or 2 (f64) numbers.
  template <class T>
  void bernoulli(int64_t first, int64_t n, double p, T value, T* out) const;
};

}  // namespace scry
