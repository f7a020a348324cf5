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
  bool wants_first;
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
        row_(sizes.gates_row()),
        state_blocks_(sizes.blocks(N)),
        blocks_(state_blocks_ + (arrays.x ? Sizes<T>::blocks_of(arrays.inputs, N) : 0)),
        panels_(blocks_ * depth_ * N * width),
        products_(sizes.rows * blocks_ * N * width) {
    parallel_for(blocks_, 4, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        if (block < state_blocks_) pack(block, block, a_.w_hh, sizes_.units);
        if (block >= state_blocks_) pack(block, block - state_blocks_, a_.w_ih, a_.inputs);
      }
    });
  }

  int64_t blocks() const { return blocks_; }

  // back: 0 for the last step; after the first, at `steps`, comes what is left for the first state, if that is wanted. All products of the rows come
  // first: what follows then runs along them, which is how memory that lies far away comes by itself.
  void operator()(int64_t back, int64_t first, int64_t last, int64_t begin, int64_t end) const {
    const int64_t s = sizes_.steps - 1 - back;
    if (s < 0 && !a_.wants_first) begin = std::max(begin, state_blocks_);
    for (int64_t block = begin; block < end; ++block) {
      if (back == 0) {
        for (int64_t row = first; row < last; ++row) std::fill_n(product(row, block), N * width, T{0});
      } else {
        steps::in_tiles(first, last, [&](int64_t row, int64_t rows) { multiply(sizes_.time(s + 1), row, rows, block); });
      }
    }
    for (int64_t row = first; row < last; ++row) {
      for_each_register(row, begin, std::min(end, state_blocks_), 0, sizes_.units,
                        [&](const V& sum, int64_t unit, int64_t count) { take(s, sum, row, unit, count); });
      if (back == 0) continue;
      T* x = a_.x + (sizes_.time(s + 1) * sizes_.rows + row) * a_.inputs;
      for_each_register(row, std::max(begin, state_blocks_), end, state_blocks_, a_.inputs,
                        [&](const V& sum, int64_t column, int64_t count) { store_some(sum, x + column, count); });
    }
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

  T* product(int64_t row, int64_t block) const { return products_.data() + (row * blocks_ + block) * N * width; }

  // What a block of W, or of the input's weights, makes of the gates' gradients at a time.
  void multiply(int64_t t, int64_t first, int64_t rows, int64_t block) const {
    const T* from = (block < state_blocks_ ? a_.hidden : a_.input) + (t * sizes_.rows + first) * row_;
    const bool narrow = block < state_blocks_ ? is_narrow(block, sizes_.units) : is_narrow(block - state_blocks_, a_.inputs);
    const T* panel = panels_.data() + block * depth_ * N * width;
    constexpr int64_t part = 256;
    for (int64_t p = 0; p < depth_; p += part) {
      const int64_t depth = std::min(part, depth_ - p);
      if (narrow)
        panel_product<T, 1>({from + p, row_}, rows, depth, panel + p * width, product(first, block), blocks_ * N * width, p > 0);
      else
        panel_product<T, N>({from + p, row_}, rows, depth, panel + p * N * width, product(first, block), blocks_ * N * width, p > 0);
    }
  }

  // Calls body(sum, column, count) for the registers of a row's blocks, whose columns are counted from block `zero` on.
  template <class F>
  void for_each_register(int64_t row, int64_t begin, int64_t end, int64_t zero, int64_t columns, const F& body) const {
    for (int64_t block = begin; block < end; ++block)
      for (int64_t n = 0; n < N; ++n) {
        const int64_t column = ((block - zero) * N + n) * width, count = std::min(width, columns - column);
        if (count > 0) body(V::load_aligned(product(row, block) + n * width), column, count);
      }
  }

  // A register of a state's gradient: `sum` is what the step after it made of W h.
  void take(int64_t s, const V& sum, int64_t row, int64_t unit, int64_t count) const {
    const int64_t t = sizes_.time(std::max<int64_t>(s, 0)), outside = s < 0 ? sizes_.before(t) : sizes_.after(t), at = row * sizes_.units + unit;
    const V dh = sum + load_some(a_.carry_h + at, count) + load_some(a_.g + outside + at, count);
    const int64_t gates = (t * sizes_.rows + row) * row_ + unit;
    if (s >= 0 && sizes_.active(row, t)) return step(dh, t, at, gates, count);
    store_some(dh, a_.carry_h + at, count);
    for (int64_t k = 0; s >= 0 && k < sizes_.gates; ++k) put(k, V(T{0}), V(T{0}), gates, count);
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
  int64_t depth_, row_, state_blocks_, blocks_;
  memory::Scratch<T> panels_, products_;
};

template <class T>
T* data(const Tensor& x) {
  return x.defined() ? static_cast<T*>(x.raw()) : nullptr;
}

}  // namespace

RecurrentGradients recurrent_gradients(const Recurrence& layer, const Tensor& gradient, const RecurrentStates& saved,
                                       const RecurrentParameters& weights, RecurrentWanted wanted, bool last) {
  const Tensor g = contiguous(gradient), w_hh = contiguous(weights.w_hh), w_ih = contiguous(weights.w_ih);
  const bool lstm = layer.cell == Cell::lstm;
  const int64_t steps = g.size(0) - 1 - lstm, rows = g.size(1), units = g.size(2), inputs = w_ih.size(1), depth = w_hh.size(0);
  const auto empty = [&](const Shape& shape) { return Tensor::empty(shape, g.dtype()); };
  RecurrentGradients out{{}, {}, empty({rows, units}), {}, {}};
  if (lstm) out.c = empty({rows, units});
  if (wanted.x) out.x = empty({steps, rows, inputs});
  dispatch_floating("recurrent", g.dtype(), [&]<class T>() {
    const Sizes<T> sizes(layer, steps, rows, units);
    const bool joins = wanted.x && sizes.joins(inputs), reuses = last && saved.gates.defined();
    const int64_t row = sizes.gates_row();
    const Tensor input = reuses ? saved.gates : empty({steps, rows, row}), hidden = layer.cell == Cell::gru ? empty({steps, rows, row}) : input;
    if (reuses) input.node().storage->bump_version();  // should an error come from here on, they don't pass for the gates
    const Arrays<T> arrays{data<T>(g),
                           data<T>(saved.gates),
                           data<T>(saved.states),
                           data<T>(saved.extra),
                           data<T>(w_hh),
                           data<T>(w_ih),
                           data<T>(input),
                           data<T>(hidden),
                           data<T>(out.h),
                           data<T>(out.c),
                           joins ? data<T>(out.x) : nullptr,
                           inputs,
                           wanted.first};
    std::fill_n(arrays.carry_h, rows * units, T{0});
    if (lstm) std::copy_n(arrays.g + (steps + 1) * rows * units, rows * units, arrays.carry_c);
    kernels::steps::dispatch_cell(layer.cell, [&]<Cell cell>() {
      const Backward<T, cell> tile(sizes, arrays);
      kernels::steps::run(sizes, steps + 1, tile.blocks(), depth * 2 * Sizes<T>::width, tile);
    });
    if (wanted.x && !joins && out.x.numel() > 0)
      blas::gemm(steps * rows, inputs, depth, T{1}, {arrays.input, row}, {arrays.w_ih, inputs}, T{0}, data<T>(out.x), inputs);
    const auto values = [&](const Tensor& of) {
      return Tensor::view(of.node().storage, of.node().offset, {steps, rows, depth}, {rows * row, row, 1}, of.dtype());
    };
    out.input = values(input);
    out.hidden = values(hidden);
  });
  return out;
}

}  // namespace scry::kernels
