#pragma once

// How an elementwise kernel is written: a callable on numbers, which `map` runs over registers where the callable takes them.

#include <scry/core/kernels/elementwise.hpp>
#include <concepts>
#include <cstring>
#include <xsimd/xsimd.hpp>

namespace scry::kernels {

template <class T>
using Register = xsimd::batch<T>;

template <class F, class Out, class... In>
concept TakesRegisters = (std::is_floating_point_v<In> && ...) && (std::same_as<In, Out> && ...) && requires(const F& f, Register<In>... x) {
  { f(x...) } -> std::convertible_to<Register<Out>>;
};

namespace detail {

template <class F, class Out, class... In, size_t... I>
void run(Out* out, const void* const* in, int64_t n, const F& f, std::index_sequence<I...>) {
  if constexpr (TakesRegisters<F, Out, In...>) {
    constexpr auto width = static_cast<int64_t>(Register<Out>::size);
    int64_t i = 0;
    for (; i + width <= n; i += width) Register<Out>(f(Register<In>::load_unaligned(static_cast<const In*>(in[I]) + i)...)).store_unaligned(out + i);
    if (i == n) return;
    // The rest goes through whole registers too: an element's value never depends on where it lies.
    const auto rest = static_cast<size_t>(n - i);
    alignas(64) Out tail[sizeof...(In) + 1][static_cast<size_t>(width)]{};
    (std::memcpy(tail[I + 1], static_cast<const In*>(in[I]) + i, rest * sizeof(In)), ...);
    Register<Out>(f(Register<In>::load_aligned(tail[I + 1])...)).store_aligned(tail[0]);
    std::memcpy(out + i, tail[0], rest * sizeof(Out));
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<Out>(f(static_cast<const In*>(in[I])[i]...));
  }
}

}  // namespace detail

/// The loop that applies a callable of type F to inputs of types In.
template <class F, class Out, class... In>
void loop(void* out, const void* const* in, int64_t n, const void* function) {
  detail::run<F, Out, In...>(static_cast<Out*>(out), in, n, *static_cast<const F*>(function), std::index_sequence_for<In...>{});
}

/// f(x) for every element, f: In -> Out.
template <class Out, class In, class F>
Tensor map(const Tensor& x, const F& f) {
  return elementwise(x.shape(), dtype_of<Out>(), {&x}, loop<F, Out, In>, &f);
}

/// f(x, y, …) for every element of tensors that broadcast to `shape`.
template <class Out, class... In, class F, class... Tensors>
Tensor map_to(const Shape& shape, const F& f, const Tensors&... x) {
  return elementwise(shape, dtype_of<Out>(), {&x...}, loop<F, Out, In...>, &f);
}

/// f(x, y) for every element of two tensors that broadcast.
template <class Out, class In, class F>
Tensor map(std::string_view op, const Tensor& x, const Tensor& y, const F& f) {
  return elementwise(broadcast_shapes(op, x.shape(), y.shape()), dtype_of<Out>(), {&x, &y}, loop<F, Out, In, In>, &f);
}

}  // namespace scry::kernels
