#include <scry/core/blas.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/recurrent_steps.hpp>

namespace scry::kernels {
namespace {

using steps::Sizes;

template <class T>
struct Arrays {
  const T *g, *gates, *states, *extra, *w_hh, *w_ih;
  T *input, *hidden, *carry_h, *carry_c, *x;  // x and w_ih are null where they aren't part of the steps
  int64_t inputs;
};

// From the last step to the first: the gradient of h after a step comes from outside, from what the step after it made of W h, and by ways
// that lead around the gates (carry). The gradient of x at the step after it comes from the same numbers, in blocks of its own.
template <class T, Cell cell>
class Backward {
 public:
  using V = Register<T>;
  static constexpr int N = 2;  // registers of units at once

  Backward(const Sizes<T>& sizes, const Arrays<T>& arrays)
      : sizes_(sizes),
        a_(arrays),
        depth_(sizes.gates * sizes.units),
        state_blocks_(sizes.blocks(N)),
        blocks_(state_blocks_ + (arrays.x ? Sizes<T>::blocks_of(arrays.inputs, N) : 0)),
        panels_(blocks_ * depth_ * N * width) {
    parallel_for(blocks_, 4, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        if (block < state_blocks_) pack(block, block, a_.w_hh, sizes_.units);
        if (block >= state_blocks_) pack(block, block - state_blocks_, a_.w_ih, a_.inputs);
      }
    });
  }

  int64_t blocks() const { return blocks_; }

  // back: 0 for the last step; after the first, at `steps`, comes what is left for the first state.
  void operator()(int64_t back, int64_t first, int64_t rows, int64_t block) const {
    alignas(64) T product[steps::rows_at_once * N * width];
    const int64_t s = sizes_.steps - 1 - back, t = sizes_.time(std::max<int64_t>(s, 0)), units = sizes_.units;
    const bool narrow = block < state_blocks_ ? is_narrow(block, units) : is_narrow(block - state_blocks_, a_.inputs);
    if (back == 0) {
      std::fill_n(product, rows * N * width, T{0});
    } else {
      const int64_t later = (sizes_.time(s + 1) * sizes_.rows + first) * depth_;
      const T *from = (block < state_blocks_ ? a_.hidden : a_.input) + later, *panel = panels_.data() + block * depth_ * N * width;
      constexpr int64_t part = 256;
      for (int64_t p = 0; p < depth_; p += part) {
        const auto fetch_share = [&](int64_t begin, int64_t number) {
          const auto until = [&](int64_t end) { return first + begin + number * std::min(end, depth_) / depth_; };
          for (int64_t r = until(p); block < state_blocks_ && s >= 0 && r < until(p + part); ++r) fetch(t, r, block * N * width);
        };
        const PanelRows<T> with{from + p, depth_};
        const int64_t depth = std::min(part, depth_ - p);
        if (narrow)
          panel_product<T, 1>(with, rows, depth, panel + p * width, product, N * width, p > 0, fetch_share);
        else
          panel_product<T, N>(with, rows, depth, panel + p * N * width, product, N * width, p > 0, fetch_share);
      }
    }
    const auto each = [&](int64_t start, int64_t columns, const auto& body) {
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t n = 0; n < N; ++n) {
          const int64_t column = (start * N + n) * width, count = std::min(width, columns - column);
          if (count > 0) body(V::load_aligned(product + (r * N + n) * width), first + r, column, count);
        }
    };
    if (block >= state_blocks_) {
      if (back == 0) return;
      T* x = a_.x + sizes_.time(s + 1) * sizes_.rows * a_.inputs;
      return each(block - state_blocks_, a_.inputs,
                  [&](const V& sum, int64_t row, int64_t column, int64_t count) { store_some(sum, x + row * a_.inputs + column, count); });
    }
    const int64_t outside = s < 0 ? sizes_.before(t) : sizes_.after(t);
    each(block, units, [&](const V& sum, int64_t row, int64_t unit, int64_t count) {
      const int64_t at = row * units + unit;
      const V dh = sum + load_some(a_.carry_h + at, count) + load_some(a_.g + outside + at, count);
      const int64_t gates = (t * sizes_.rows + row) * depth_ + unit;
      if (s >= 0 && sizes_.active(row, t)) {
        step(dh, t, at, gates, count);
      } else {
        store_some(dh, a_.carry_h + at, count);
        for (int64_t k = 0; s >= 0 && k < sizes_.gates; ++k) put(k, V(T{0}), V(T{0}), gates, count);
      }
    });
  }

 private:
  static constexpr auto width = Sizes<T>::width;

  // Whether the last block, of so many columns, has one register only.
  static bool is_narrow(int64_t block, int64_t columns) { return columns - block * N * width <= width; }

  void pack(int64_t block, int64_t index, const T* weight, int64_t columns) const {
    const int64_t column = index * N * width, count = std::min(N * width, columns - column), row = is_narrow(index, columns) ? width : N * width;
    T* panel = panels_.data() + block * depth_ * N * width;
    for (int64_t j = 0; j < depth_; ++j, panel += row) {
      std::copy_n(weight + j * columns + column, count, panel);
      std::fill(panel + count, panel + row, T{0});
    }
  }

  // Rows lie far apart: they come while a product is computed, a few at a time, which is as many as the processor waits for at once.
  void fetch(int64_t t, int64_t row, int64_t unit) const {
    const int64_t at = row * sizes_.units + unit, gates = (t * sizes_.rows + row) * depth_ + unit;
    for (int64_t i = 0; i < N * width; i += 64 / static_cast<int64_t>(sizeof(T))) {
      __builtin_prefetch(a_.g + sizes_.after(t) + at + i);
      if constexpr (cell != Cell::lstm) __builtin_prefetch(a_.states + sizes_.before(t) + at + i);
      if constexpr (cell == Cell::lstm) __builtin_prefetch(a_.extra + sizes_.before(t) + at + i);
      if constexpr (cell == Cell::gru) __builtin_prefetch(a_.extra + t * sizes_.rows * sizes_.units + at + i);
      for (int64_t k = 0; k < gates_of(cell); ++k) {
        if (a_.gates && a_.gates != a_.input) __builtin_prefetch(a_.gates + gates + k * sizes_.units + i, 0, 2);
        if constexpr (cell == Cell::gru) __builtin_prefetch(a_.hidden + gates + k * sizes_.units + i, 1, 2);
        __builtin_prefetch(a_.input + gates + k * sizes_.units + i, 1, 2);
      }
    }
  }

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
  int64_t depth_, state_blocks_, blocks_;
  memory::Scratch<T> panels_;
};

template <class T>
T* data(const Tensor& x) {
  return x.defined() ? static_cast<T*>(x.raw()) : nullptr;
}

}  // namespace

RecurrentGradients recurrent_gradients(const Recurrence& layer, const Tensor& gradient, const RecurrentStates& saved,
                                       const RecurrentParameters& weights, bool wants_x, bool last) {
  const Tensor g = contiguous(gradient), w_hh = contiguous(weights.w_hh), w_ih = contiguous(weights.w_ih);
  const bool lstm = layer.cell == Cell::lstm;
  const int64_t steps = g.size(0) - 1 - lstm, rows = g.size(1), units = g.size(2), inputs = w_ih.size(1), depth = w_hh.size(0);
  const auto empty = [&](const Shape& shape) { return Tensor::empty(shape, g.dtype()); };
  RecurrentGradients out{last && saved.gates.defined() ? saved.gates : empty({steps, rows, depth}), {}, empty({rows, units}), {}, {}};
  if (last && saved.gates.defined()) saved.gates.node().storage->bump_version();  // should an error come from here on, they don't pass for the gates
  out.hidden = layer.cell == Cell::gru ? empty({steps, rows, depth}) : out.input;
  if (lstm) out.c = empty({rows, units});
  if (wants_x) out.x = empty({steps, rows, inputs});
  dispatch_floating("recurrent", g.dtype(), [&]<class T>() {
    const Sizes<T> sizes(layer, steps, rows, units);
    const bool joins = wants_x && sizes.joins(inputs);
    const Arrays<T> arrays{data<T>(g),
                           data<T>(saved.gates),
                           data<T>(saved.states),
                           data<T>(saved.extra),
                           data<T>(w_hh),
                           data<T>(w_ih),
                           data<T>(out.input),
                           data<T>(out.hidden),
                           data<T>(out.h),
                           data<T>(out.c),
                           joins ? data<T>(out.x) : nullptr,
                           inputs};
    std::fill_n(arrays.carry_h, rows * units, T{0});
    if (lstm) std::copy_n(arrays.g + (steps + 1) * rows * units, rows * units, arrays.carry_c);
    kernels::steps::dispatch_cell(layer.cell, [&]<Cell cell>() {
      const Backward<T, cell> tile(sizes, arrays);
      kernels::steps::run(sizes, steps + 1, tile.blocks(), depth * 2 * Sizes<T>::width, tile);
    });
    if (wants_x && !joins && out.x.numel() > 0)
      blas::gemm(steps * rows, inputs, depth, T{1}, {arrays.input, depth}, {arrays.w_ih, inputs}, T{0}, data<T>(out.x), inputs);
  });
  return out;
}

}  // namespace scry::kernels
