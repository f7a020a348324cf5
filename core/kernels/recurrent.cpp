#include <scry/core/blas.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/recurrent_steps.hpp>

namespace scry::kernels {
namespace {

using steps::Sizes;

template <class T>
struct Arrays {
  PanelRows<T> x;  // of the first time; where it is null, the gates hold the input's part
  int64_t x_time, inputs;
  const T *w_ih, *w_hh, *b_ih, *b_hh;
  bool begins_at_zero;
  T *gates, *states, *extra;
};

template <class T, Cell cell>
class Forward {
 public:
  static constexpr int N = gates_of(cell);
  static constexpr bool joint = cell != Cell::gru;  // both parts of a gate are one sum
  using V = Register<T>;

  Forward(const Sizes<T>& sizes, const Arrays<T>& arrays, bool keep)
      : sizes_(sizes),
        a_(arrays),
        keep_(keep && arrays.gates),
        panels_(sizes.blocks() * sizes.units * N * width),
        input_panels_(arrays.x.data ? sizes.blocks() * arrays.inputs * N * width : 0),
        biases_(2 * sizes.blocks() * N * width) {
    parallel_for(sizes.blocks(), 4, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        pack(block, a_.w_hh, sizes_.units, a_.b_hh, panels_.data(), biases_.data());
        if (a_.x.data) pack(block, a_.w_ih, a_.inputs, a_.b_ih, input_panels_.data(), biases_.data() + sizes_.blocks() * N * width);
      }
    });
  }

  void operator()(int64_t s, int64_t first, int64_t last, int64_t begin, int64_t end) const {
    for (int64_t block = begin; block < end; ++block) steps::in_tiles(first, last, [&](int64_t row, int64_t rows) { tile(s, row, rows, block); });
  }

 private:
  static constexpr auto width = Sizes<T>::width;

  void tile(int64_t s, int64_t first, int64_t rows, int64_t block) const {
    alignas(64) T product[steps::rows_at_once * N * width], seen[joint ? 1 : steps::rows_at_once * N * width];
    const int64_t t = sizes_.time(s), units = sizes_.units, unit = block * width, count = std::min(width, units - unit);
    const T *before = a_.states + sizes_.before(t) + first * units, *biases = biases_.data() + block * N * width;
    T* gates_before = a_.gates ? a_.gates + (t * sizes_.rows + first) * sizes_.gates_row() + unit : nullptr;
    // Rows lie pages apart: they come while the product is computed, a few at a time, which is as many as the processor waits for at once.
    const auto fetch = [&](int64_t begin, int64_t number) {
      for (int64_t r = begin; r < begin + number; ++r)
        for (int64_t n = 0; gates_before && n < N; ++n) __builtin_prefetch(gates_before + r * sizes_.gates_row() + n * units, 1, 2);
    };
    if (a_.x.data) {
      const PanelRows<T> x{a_.x.data + t * a_.x_time + first * a_.x.row, a_.x.row};
      panel_product<T, N>(x, rows, a_.inputs, input_panels_.data() + block * a_.inputs * N * width, joint ? product : seen, N * width);
    }
    panel_product<T, N>({before, units}, rows, s == 0 && a_.begins_at_zero ? 0 : units, panels_.data() + block * units * N * width, product,
                        N * width, joint && a_.x.data, fetch);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = (first + r) * units + unit;
      V hidden[N], input[N];
      T* gates = gates_before ? gates_before + r * sizes_.gates_row() : nullptr;
      for (int n = 0; n < N; ++n) {
        hidden[n] = V::load_aligned(product + (r * N + n) * width) + V::load_aligned(biases + n * width);
        if (!a_.x.data) {
          input[n] = load_some(gates + n * units, count);
        } else {
          input[n] = V::load_aligned(biases + (sizes_.blocks() * N + n) * width);
          if (!joint) input[n] += V::load_aligned(seen + (r * N + n) * width);
        }
      }
      const bool active = sizes_.active(first + r, t);
      const V h = load_some(before + r * units + unit, count), next = step(input, hidden, h, gates, t, at, count, active);
      store_some(active ? next : h, a_.states + sizes_.after(t) + at, count);
    }
  }

  void pack(int64_t block, const T* weight, int64_t depth, const T* bias, T* panels, T* biases) const {
    T* panel = panels + block * depth * N * width;
    const int64_t unit = block * width, count = std::min(width, sizes_.units - unit);
    for (int64_t n = 0; n < N; ++n) {
      interleave(weight + (n * sizes_.units + unit) * depth, depth, count, depth, panel + n * width, N * width);
      (bias ? load_some(bias + n * sizes_.units + unit, count) : V(T{0})).store_aligned(biases + (block * N + n) * width);
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
      const V c = load_some(a_.extra + (keep_ ? sizes_.before(t) : 0) + at, count), next = xsimd::fma(f, c, i * g);
      store_some(active ? next : c, a_.extra + (keep_ ? sizes_.after(t) : 0) + at, count);
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
        store_some(hidden[2], a_.extra + t * sizes_.rows * units + at, count);
      }
      return xsimd::fma(z, h - n, n);
    }
  }

  const Sizes<T>& sizes_;
  const Arrays<T>& a_;
  bool keep_;
  memory::Scratch<T> panels_, input_panels_, biases_;
};

template <class T>
T* data(const Tensor& x) {
  return x.defined() ? static_cast<T*>(x.raw()) : nullptr;
}

Tensor dense(const Tensor& x) { return x.defined() ? contiguous(x) : x; }

}  // namespace

RecurrentStates recurrent(const Recurrence& layer, const Tensor& x, const RecurrentParameters& weights, const Tensor& h, const Tensor& c, bool keep) {
  RecurrentStates out;
  const Tensor w_ih = dense(weights.w_ih), w_hh = dense(weights.w_hh), b_ih = dense(weights.b_ih), b_hh = dense(weights.b_hh);
  dispatch_floating("recurrent", x.dtype(), [&]<class T>() {
    const Sizes<T> sizes(layer, x.size(0), x.size(1), w_hh.size(1));
    const int64_t count = sizes.rows * sizes.units, T1 = sizes.steps + 1, inputs = x.size(2), width = sizes.gates * sizes.units;
    const bool lstm = layer.cell == Cell::lstm, gru = layer.cell == Cell::gru, joins = sizes.joins(inputs);
    out.states = Tensor::empty({T1 + lstm, sizes.rows, sizes.units}, x.dtype());
    if (lstm) out.extra = Tensor::empty({keep ? T1 : 1, sizes.rows, sizes.units}, x.dtype());
    if (gru && keep) out.extra = Tensor::empty({sizes.steps, sizes.rows, sizes.units}, x.dtype());
    if (!joins || (keep && (lstm || gru))) out.gates = Tensor::empty({sizes.steps, sizes.rows, sizes.gates_row()}, x.dtype());
    const Tensor in = joins && x.strides()[2] == 1 ? x : contiguous(x);
    if (!joins && out.gates.numel() > 0)
      blas::gemm(sizes.steps * sizes.rows, width, inputs, T{1}, {data<T>(in), inputs}, {data<T>(w_ih), inputs, true}, T{0}, data<T>(out.gates),
                 sizes.gates_row(), data<T>(b_ih));
    const Arrays<T> arrays{{joins ? data<T>(in) : nullptr, in.strides()[1]},
                           in.strides()[0],
                           inputs,
                           data<T>(w_ih),
                           data<T>(w_hh),
                           data<T>(b_ih),
                           data<T>(b_hh),
                           !h.defined(),
                           data<T>(out.gates),
                           data<T>(out.states),
                           data<T>(out.extra)};
    const auto begin = [&](const Tensor& state, T* at) {
      if (state.defined())
        std::copy_n(data<T>(contiguous(state)), count, at);
      else
        std::fill_n(at, count, T{0});
    };
    begin(h, arrays.states + (layer.reverse ? sizes.steps * count : 0));
    if (lstm) begin(c, arrays.extra + (layer.reverse && keep ? sizes.steps * count : 0));
    steps::dispatch_cell(layer.cell, [&]<Cell cell>() {
      const Forward<T, cell> tile(sizes, arrays, keep);
      steps::run(sizes, sizes.steps, sizes.blocks(), (sizes.units + (joins ? inputs : 0)) * sizes.gates * Sizes<T>::width, tile);
    });
    if (lstm) std::copy_n(arrays.extra + (keep && !layer.reverse ? sizes.steps * count : 0), count, arrays.states + T1 * count);
    if (!keep || !(lstm || gru)) out.gates = {};
  });
  return out;
}

}  // namespace scry::kernels
