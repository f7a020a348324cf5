#include <scry/core/blas.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/recurrent_steps.hpp>

namespace scry::kernels {
namespace {

using steps::Sizes;

template <class T>
struct Arrays {
  const T *g, *gates, *states, *extra, *weight;
  T *input, *hidden, *carry_h, *carry_c;
};

// From the last step to the first: the gradient of h after a step comes from outside, from what the step after it made of W h, and by ways
// that lead around the gates (carry).
template <class T, Cell cell>
class Backward {
 public:
  using V = Register<T>;
  static constexpr int N = 2;  // registers of units at once

  Backward(const Sizes<T>& sizes, const Arrays<T>& arrays)
      : sizes_(sizes), a_(arrays), depth_(sizes.gates * sizes.units), panels_(sizes.blocks(N) * depth_ * N * width) {
    parallel_for(sizes.blocks(N), 4, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t unit = block * N * width, count = std::min(N * width, sizes.units - unit);
        T* panel = panels_.data() + block * depth_ * N * width;
        for (int64_t j = 0; j < depth_; ++j, panel += N * width) {
          std::copy_n(arrays.weight + j * sizes.units + unit, count, panel);
          std::fill(panel + count, panel + N * width, T{0});
        }
      }
    });
  }

  void operator()(int64_t back, int64_t first, int64_t rows, int64_t block) const {
    alignas(64) T product[steps::rows_at_once * N * width];
    const int64_t s = sizes_.steps - 1 - back, t = sizes_.time(s), units = sizes_.units;
    if (back > 0) {
      const T* later = a_.hidden + (sizes_.time(s + 1) * sizes_.rows + first) * depth_;
      panel_product<T, N>({later, depth_}, rows, depth_, panels_.data() + block * depth_ * N * width, product, N * width);
    } else {
      std::fill_n(product, rows * N * width, T{0});
    }
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t n = 0; n < N; ++n) {
        const int64_t unit = (block * N + n) * width, count = std::min(width, units - unit), at = (first + r) * units + unit;
        if (count <= 0) continue;
        const V dh =
            V::load_aligned(product + (r * N + n) * width) + load_some(a_.carry_h + at, count) + load_some(a_.g + sizes_.after(t) + at, count);
        const int64_t gates = (t * sizes_.rows + first + r) * depth_ + unit;
        if (sizes_.active(first + r, t)) {
          step(dh, t, at, gates, count);
        } else {
          store_some(dh, a_.carry_h + at, count);
          for (int64_t k = 0; k < sizes_.gates; ++k) put(k, V(T{0}), V(T{0}), gates, count);
        }
      }
  }

 private:
  static constexpr auto width = Sizes<T>::width;

  // The gradient of a gate's input part, and of its hidden part where that is another.
  void put(int64_t gate, const V& input, const V& hidden, int64_t gates, int64_t count) const {
    store_some(input, a_.input + gates + gate * sizes_.units, count);
    if constexpr (cell == Cell::gru) store_some(hidden, a_.hidden + gates + gate * sizes_.units, count);
  }
  V gate(int64_t n, int64_t gates, int64_t count) const { return load_some(a_.gates + gates + n * sizes_.units, count); }

  void step(const V& dh, int64_t t, int64_t at, int64_t gates, int64_t count) const {
    using functions::where;
    const V one(T{1});
    if (sizes_.lengths && cell != Cell::gru) store_some(V(T{0}), a_.carry_h + at, count);
    if constexpr (cell == Cell::tanh || cell == Cell::relu) {
      const V h = load_some(a_.states + sizes_.after(t) + at, count);
      const V d = cell == Cell::tanh ? dh * (one - h * h) : where(functions::gt(h, 0), dh, V(T{0}));
      put(0, d, d, gates, count);
    }
    if constexpr (cell == Cell::lstm) {
      const V i = gate(0, gates, count), f = gate(1, gates, count), g = gate(2, gates, count), o = gate(3, gates, count);
      const V c = load_some(a_.extra + sizes_.before(t) + at, count), shown = steps::tanh(load_some(a_.extra + sizes_.after(t) + at, count));
      const V dc = xsimd::fma(dh * o, one - shown * shown, load_some(a_.carry_c + at, count));
      const V parts[] = {dc * g * i * (one - i), dc * c * f * (one - f), dc * i * (one - g * g), dh * shown * o * (one - o)};
      for (int64_t n = 0; n < 4; ++n) put(n, parts[n], parts[n], gates, count);
      store_some(dc * f, a_.carry_c + at, count);
    }
    if constexpr (cell == Cell::gru) {
      const V r = gate(0, gates, count), z = gate(1, gates, count), n = gate(2, gates, count);
      const V hidden = load_some(a_.extra + t * sizes_.rows * sizes_.units + at, count), h = load_some(a_.states + sizes_.before(t) + at, count);
      const V dn = dh * (one - z) * (one - n * n), dr = dn * hidden * r * (one - r), dz = dh * (h - n) * z * (one - z);
      put(0, dr, dr, gates, count);
      put(1, dz, dz, gates, count);
      put(2, dn, dn * r, gates, count);
      store_some(dh * z, a_.carry_h + at, count);
    }
  }

  const Sizes<T>& sizes_;
  const Arrays<T>& a_;
  int64_t depth_;
  memory::Scratch<T> panels_;
};

template <class T>
T* data(const Tensor& x) {
  return x.defined() ? static_cast<T*>(x.raw()) : nullptr;
}

}  // namespace

RecurrentGradients recurrent_gradients(const Recurrence& layer, const Tensor& gradient, const Tensor& gates, const RecurrentStates& saved,
                                       const Tensor& weight) {
  const Tensor g = contiguous(gradient), w = contiguous(weight);
  const Shape state{gates.size(1), w.size(1)};
  RecurrentGradients out{Tensor::empty(gates.shape(), gates.dtype()), {}, Tensor::empty(state, gates.dtype()), {}};
  out.hidden = layer.cell == Cell::gru ? Tensor::empty(gates.shape(), gates.dtype()) : out.input;
  if (layer.cell == Cell::lstm) out.c = Tensor::empty(state, gates.dtype());
  dispatch_floating("recurrent", gates.dtype(), [&]<class T>() {
    const Sizes<T> sizes(layer, gates);
    const int64_t count = sizes.rows * sizes.units, depth = sizes.gates * sizes.units;
    const Arrays<T> arrays{data<T>(g),         data<T>(gates),      data<T>(saved.states), data<T>(saved.extra), data<T>(w),
                           data<T>(out.input), data<T>(out.hidden), data<T>(out.h),        data<T>(out.c)};
    std::fill_n(arrays.carry_h, count, T{0});
    if (arrays.carry_c) std::copy_n(arrays.g + (sizes.steps + 1) * count, count, arrays.carry_c);
    steps::dispatch_cell(layer.cell, [&]<Cell cell>() {
      const Backward<T, cell> tile(sizes, arrays);
      steps::run(sizes, sizes.blocks(2), depth * 2 * Sizes<T>::width, tile);
    });
    // What is left for the first state.
    const int64_t first = sizes.time(0);
    const T* from = arrays.g + sizes.before(first);
    for (int64_t i = 0; i < count; ++i) arrays.carry_h[i] += from[i];
    if (count == 0 || sizes.steps == 0) return;
    blas::gemm(sizes.rows, sizes.units, depth, T{1}, {arrays.hidden + first * sizes.rows * depth, depth}, {arrays.weight, sizes.units}, T{1},
               arrays.carry_h, sizes.units);
  });
  return out;
}

}  // namespace scry::kernels
