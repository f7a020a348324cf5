#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/recurrent_steps.hpp>

namespace scry::kernels {
namespace {

using steps::Sizes;

template <class T, Cell cell>
class Forward {
 public:
  static constexpr int N = gates_of(cell);
  using V = Register<T>;

  Forward(const Sizes<T>& sizes, const T* weight, const T* bias, T* gates, T* states, T* extra, bool keep)
      : sizes_(sizes),
        gates_(gates),
        states_(states),
        extra_(extra),
        keep_(keep),
        panels_(sizes.blocks() * sizes.units * N * width),
        biases_(sizes.blocks() * N * width) {
    parallel_for(sizes.blocks(), 4, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) pack(block, weight, bias);
    });
  }

  void operator()(int64_t s, int64_t first, int64_t rows, int64_t block) const {
    alignas(64) T product[steps::rows_at_once * N * width];
    const int64_t t = sizes_.time(s), units = sizes_.units, unit = block * width, count = std::min(width, units - unit);
    const T* before = states_ + sizes_.before(t) + first * units;
    for (int64_t r = 0; r < rows; ++r)  // rows lie pages apart: they come while the product is computed
      for (int64_t n = 0; n < N; ++n) __builtin_prefetch(gates_ + (t * sizes_.rows + first + r) * N * units + n * units + unit, 1, 2);
    panel_product<T, N>({before, units}, rows, units, panels_.data() + block * units * N * width, product, N * width);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = (first + r) * units + unit;
      V hidden[N], input[N];
      T* gates = gates_ + (t * sizes_.rows + first + r) * N * units + unit;
      for (int n = 0; n < N; ++n) {
        hidden[n] = V::load_aligned(product + (r * N + n) * width) + V::load_aligned(biases_.data() + (block * N + n) * width);
        input[n] = load_some(gates + n * units, count);
      }
      const bool active = sizes_.active(first + r, t);
      const V h = load_some(before + r * units + unit, count), next = step(input, hidden, h, gates, t, at, count, active);
      store_some(active ? next : h, states_ + sizes_.after(t) + at, count);
    }
  }

 private:
  static constexpr auto width = Sizes<T>::width;

  void pack(int64_t block, const T* weight, const T* bias) const {
    const int64_t units = sizes_.units;
    T* panel = panels_.data() + block * units * N * width;
    const int64_t unit = block * width, count = std::min(width, units - unit);
    if (count < width) std::fill_n(panel, units * N * width, T{0});
    for (int64_t n = 0; n < N; ++n) {
      interleave_rows(weight + (n * units + unit) * units, units, count, units, panel + n * width, N * width);
      (bias ? load_some(bias + n * units + unit, count) : V(T{0})).store_aligned(biases_.data() + (block * N + n) * width);
    }
  }

  // The new state of a block of one row; the gates' values stay where their input was.
  V step(const V (&input)[N], const V (&hidden)[N], const V& h, T* gates, int64_t t, int64_t at, int64_t count, bool active) const {
    using steps::sigmoid, steps::tanh;
    const int64_t units = sizes_.units;
    if constexpr (cell == Cell::tanh) return tanh(input[0] + hidden[0]);
    if constexpr (cell == Cell::relu) return functions::maximum(input[0] + hidden[0], 0);
    if constexpr (cell == Cell::lstm) {
      const V i = sigmoid(input[0] + hidden[0]), f = sigmoid(input[1] + hidden[1]), g = tanh(input[2] + hidden[2]);
      const V o = sigmoid(input[3] + hidden[3]);
      // Without gradients all steps share one place for c.
      const V c = load_some(extra_ + (keep_ ? sizes_.before(t) : 0) + at, count), next = xsimd::fma(f, c, i * g);
      store_some(active ? next : c, extra_ + (keep_ ? sizes_.after(t) : 0) + at, count);
      if (keep_) {
        const V values[] = {i, f, g, o};
        for (int n = 0; n < N; ++n) store_some(values[n], gates + n * units, count);
      }
      return o * tanh(next);
    }
    if constexpr (cell == Cell::gru) {
      const V r = sigmoid(input[0] + hidden[0]), z = sigmoid(input[1] + hidden[1]), n = tanh(xsimd::fma(r, hidden[2], input[2]));
      if (keep_) {
        const V values[] = {r, z, n};
        for (int k = 0; k < N; ++k) store_some(values[k], gates + k * units, count);
        store_some(hidden[2], extra_ + t * sizes_.rows * units + at, count);
      }
      return xsimd::fma(z, h - n, n);
    }
  }

  const Sizes<T>& sizes_;
  T *gates_, *states_, *extra_;
  bool keep_;
  memory::Scratch<T> panels_, biases_;
};

}  // namespace

RecurrentStates recurrent(const Recurrence& layer, const Tensor& gates, const Tensor& weight, const Tensor& bias, const Tensor& h, const Tensor& c,
                          bool keep) {
  RecurrentStates out;
  dispatch_floating("recurrent", gates.dtype(), [&]<class T>() {
    const Sizes<T> sizes(layer, gates);
    const int64_t count = sizes.rows * sizes.units, T1 = sizes.steps + 1;
    const bool lstm = layer.cell == Cell::lstm;
    out.states = Tensor::empty({T1 + lstm, sizes.rows, sizes.units}, gates.dtype());
    if (lstm) out.extra = Tensor::empty({keep ? T1 : 1, sizes.rows, sizes.units}, gates.dtype());
    if (layer.cell == Cell::gru && keep) out.extra = Tensor::empty({sizes.steps, sizes.rows, sizes.units}, gates.dtype());
    T *states = static_cast<T*>(out.states.raw()), *extra = out.extra.defined() ? static_cast<T*>(out.extra.raw()) : nullptr;
    std::copy_n(static_cast<const T*>(contiguous(h).raw()), count, states + (layer.reverse ? sizes.steps * count : 0));
    if (lstm) std::copy_n(static_cast<const T*>(contiguous(c).raw()), count, extra + (layer.reverse && keep ? sizes.steps * count : 0));
    const Tensor w = contiguous(weight), b = bias.defined() ? contiguous(bias) : Tensor();
    steps::dispatch_cell(layer.cell, [&]<Cell cell>() {
      const Forward<T, cell> tile(sizes, static_cast<const T*>(w.raw()), b.defined() ? static_cast<const T*>(b.raw()) : nullptr,
                                  static_cast<T*>(gates.raw()), states, extra, keep);
      steps::run(sizes, sizes.blocks(), sizes.units * sizes.gates * Sizes<T>::width, tile);
    });
    if (lstm) std::copy_n(extra + (keep && !layer.reverse ? sizes.steps * count : 0), count, states + T1 * count);
  });
  return out;
}

}  // namespace scry::kernels
