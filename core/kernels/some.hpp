#pragma once

// Registers that are partly filled.

#include <scry/core/kernels/map.hpp>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace scry::kernels {

/// The first `count` elements of a register (all of them from its width on, none below 1), as a mask for loads and stores: nothing else is touched.
template <class T>
class Some {
 public:
  explicit Some(int64_t count) {
    const auto most = static_cast<int64_t>(Register<T>::size);
    count_ = count < 0 ? 0 : count < most ? count : most;
#if defined(__AVX512F__)
    mask_ = static_cast<decltype(mask_)>((1u << count_) - 1);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
      mask_ = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count_)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    else
      mask_ = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count_), _mm256_setr_epi64x(0, 1, 2, 3));
#endif
  }
  /// With zeros behind them.
  Register<T> load(const T* from) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
      return _mm512_maskz_loadu_ps(mask_, from);
    else
      return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask_), from);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
      return _mm256_maskload_ps(from, mask_);
    else
      return _mm256_maskload_pd(from, mask_);
#else
    alignas(64) T all[Register<T>::size]{};
    std::memcpy(all, from, static_cast<size_t>(count_) * sizeof(T));
    return Register<T>::load_aligned(all);
#endif
  }
  void store(const Register<T>& x, T* to) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_ps(to, mask_, x);
    else
      _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask_), x);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
      _mm256_maskstore_ps(to, mask_, x);
    else
      _mm256_maskstore_pd(to, mask_, x);
#else
    alignas(64) T all[Register<T>::size];
    x.store_aligned(all);
    std::memcpy(to, all, static_cast<size_t>(count_) * sizeof(T));
#endif
  }

 private:
  int64_t count_;
#if defined(__AVX512F__)
  __mmask16 mask_;
#elif defined(__AVX2__)
  __m256i mask_;
#endif
};

/// Up to a register's width of neighbouring elements, with zeros behind them.
template <class T>
Register<T> load_some(const T* from, int64_t count) {
  return count >= static_cast<int64_t>(Register<T>::size) ? Register<T>::load_unaligned(from) : Some<T>(count).load(from);
}
template <class T>
void store_some(const Register<T>& x, T* to, int64_t count) {
  count >= static_cast<int64_t>(Register<T>::size) ? x.store_unaligned(to) : Some<T>(count).store(x, to);
}

}  // namespace scry::kernels
