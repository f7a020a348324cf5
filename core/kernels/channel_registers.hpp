#pragma once

// Channels side by side in registers, for kernels whose channels don't mix.

#include <algorithm>
#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace scry::kernels {

/// Calls body.operator()<V>(c) for channels c, c + 1, …, a register of them at a time where there are so many (the last one may overlap the one
/// before it, so the body must only set what it computes), else a quarter of one, else each alone.
template <class T, class F>
void for_channels(int64_t channels, const F& body) {
  using Wide = xsimd::batch<T>;
  using Narrow = xsimd::make_sized_batch_t<T, 16 / sizeof(T)>;
  const auto in_registers = [&]<class V>() {
    constexpr auto width = static_cast<int64_t>(V::size);
    for (int64_t c = 0; c < channels; c += width) body.template operator()<V>(std::min(c, channels - width));
  };
  if (channels >= static_cast<int64_t>(Wide::size)) return in_registers.template operator()<Wide>();
  if constexpr (!std::is_void_v<Narrow>)
    if (channels >= static_cast<int64_t>(Narrow::size)) return in_registers.template operator()<Narrow>();
  for (int64_t c = 0; c < channels; ++c) body.template operator()<T>(c);
}

/// One register or one number, from and to memory.
template <class V, class T>
V load(const T* from) {
  if constexpr (std::is_same_v<V, T>)
    return *from;
  else
    return V::load_unaligned(from);
}
template <class V, class T>
void store(const V& value, T* to) {
  if constexpr (std::is_same_v<V, T>)
    *to = value;
  else
    value.store_unaligned(to);
}

}  // namespace scry::kernels
