#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace scry::kernels::conv {

/// A register of numbers in the convolution kernels.
using Lanes = xsimd::batch<float>;
inline constexpr auto lanes = static_cast<int64_t>(Lanes::size);
/// Processors with 512-bit registers have 32 of them; others are taken to have 16.
inline constexpr int registers = lanes >= 16 ? 32 : 16;

/// The first `count` numbers of a register, from memory (with zeros behind them) and to memory, where nothing else is touched.
class FirstLanes {
 public:
#if defined(__AVX512F__)
  explicit FirstLanes(int64_t count) : mask_(static_cast<__mmask16>((1u << count) - 1)) {}
  Lanes load(const float* from) const { return _mm512_maskz_loadu_ps(mask_, from); }
  void store(const Lanes& x, float* to) const { _mm512_mask_storeu_ps(to, mask_, x); }

 private:
  __mmask16 mask_;
#elif defined(__AVX2__)
  explicit FirstLanes(int64_t count)
      : mask_(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
  Lanes load(const float* from) const { return _mm256_maskload_ps(from, mask_); }
  void store(const Lanes& x, float* to) const { _mm256_maskstore_ps(to, mask_, x); }

 private:
  __m256i mask_;
#else
  explicit FirstLanes(int64_t count) : count_(count) {}
  Lanes load(const float* from) const {
    alignas(64) float all[lanes]{};
    for (int64_t i = 0; i < count_; ++i) all[i] = from[i];
    return Lanes::load_aligned(all);
  }
  void store(const Lanes& x, float* to) const {
    alignas(64) float all[lanes];
    x.store_aligned(all);
    for (int64_t i = 0; i < count_; ++i) to[i] = all[i];
  }

 private:
  int64_t count_;
#endif
};

}  // namespace scry::kernels::conv
