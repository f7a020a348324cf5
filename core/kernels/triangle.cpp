#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/triangle.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {

Tensor triangle(const Tensor& input, int64_t diagonal, bool lower) {
  const Tensor x = contiguous(input);
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  if (out.numel() == 0) return out;
  const int64_t m = x.size(-2), n = x.size(-1);
  const int64_t shift = std::clamp(diagonal, -m, n);
  dispatch(x.dtype(), [&]<class T>() {
    parallel_for(x.numel() / n, grain_for(n * static_cast<int64_t>(sizeof(T))), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* from = static_cast<const T*>(x.raw()) + i * n;
        T* to = static_cast<T*>(out.raw()) + i * n;
        const int64_t cut = std::clamp<int64_t>(i % m + shift + (lower ? 1 : 0), 0, n);  // kept before it, or from it on
        if (lower) {
          std::fill(std::copy_n(from, cut, to), to + n, T{0});
        } else {
          std::fill_n(to, cut, T{0});
          std::copy(from + cut, from + n, to + cut);
        }
      }
    });
  });
  return out;
}

}  // namespace scry::kernels
