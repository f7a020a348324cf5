#include <scry/core/blas.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/matmul.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

// An operand as BLAS takes it: the last two axes as they lie, if one of them is dense and the other steps far enough, else copied; transposed
// on top of that where the product asks for it.
class Operand {
 public:
  Operand(const Tensor& x, bool transposed) : node_(&x.node()) {
    if (!fits()) copy_ = contiguous(x), node_ = &copy_.node();
    const bool by_columns = !lies_by_rows();
    stride_ = by_columns ? std::max({step(1), size(2), int64_t{1}}) : std::max({step(2), size(1), int64_t{1}});
    transposed_ = by_columns != transposed;
    rows = size(transposed ? 1 : 2);
    columns = size(transposed ? 2 : 1);
  }
  template <class T>
  blas::Matrix<T> matrix(int64_t offset = 0) const {
    return {reinterpret_cast<const T*>(node_->storage->data()) + node_->offset + offset, stride_, transposed_};
  }
  const TensorNode& node() const { return *node_; }

  int64_t rows, columns;

 private:
  int64_t size(int from_back) const { return node_->shape[node_->shape.rank() - from_back]; }
  int64_t step(int from_back) const { return node_->strides[node_->shape.rank() - from_back]; }
  bool lies_by_rows() const { return step(1) == 1 && (step(2) >= std::max<int64_t>(size(1), 1) || size(2) == 1); }
  bool fits() const { return lies_by_rows() || (step(2) == 1 && (step(1) >= std::max<int64_t>(size(2), 1) || size(1) == 1)); }

  Tensor copy_;
  const TensorNode* node_;
  int64_t stride_;
  bool transposed_;
};

// The leading axes of an operand, broadcast to those of the result.
Axes batch_axes(const TensorNode& x, const Shape& batch) {
  Axes axes;
  const int lead = batch.rank() - (x.shape.rank() - 2);
  for (int i = 0; i < batch.rank(); ++i) axes.add(batch[i], i < lead || x.shape[i - lead] == 1 ? 0 : x.strides[i - lead]);
  return axes;
}

Shape leading(const Tensor& x) { return Shape(std::span<const int64_t>(x.shape().begin(), x.shape().end() - 2)); }

// Products of one row, or of one term: sums of scaled rows of b, read and written as they lie, since each number is met once.
template <class T>
void sum_rows(int64_t m, int64_t n, int64_t k, const blas::Matrix<T>& a, const blas::Matrix<T>& b, T* out) {
  constexpr int64_t most = 256;  // columns at once
  const int64_t cuts = (n + most - 1) / most;
  parallel_for(m * cuts, grain_for(std::min(n, most) * k * static_cast<int64_t>(sizeof(T))), [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t i = unit / cuts, begin = unit % cuts * most, width = std::min(most, n - begin);
      const auto factor = [&](int64_t p) { return a.data[a.transposed ? p * a.stride + i : i * a.stride + p]; };
      const T* row = b.data + begin;
      T* to = out + i * n + begin;
      const T first_factor = factor(0);
      for (int64_t j = 0; j < width; ++j) to[j] = first_factor * row[j];
      int64_t p = 1;
      for (; p + 4 <= k; p += 4) {
        const T* rows[] = {row + p * b.stride, row + (p + 1) * b.stride, row + (p + 2) * b.stride, row + (p + 3) * b.stride};
        const T factors[] = {factor(p), factor(p + 1), factor(p + 2), factor(p + 3)};
        for (int64_t j = 0; j < width; ++j)
          to[j] += factors[0] * rows[0][j] + factors[1] * rows[1][j] + factors[2] * rows[2][j] + factors[3] * rows[3][j];
      }
      for (; p < k; ++p)
        for (int64_t j = 0; j < width; ++j) to[j] += factor(p) * row[p * b.stride + j];
    }
  });
}

void multiply_into(const Tensor& out, const Operand& x, const Operand& y, const Tensor& bias) {
  if (out.numel() == 0) return;
  dispatch_floating("matmul", out.dtype(), [&]<class T>() {
    const blas::Matrix<T> b = y.matrix<T>();
    constexpr int64_t small = 1 << 14;
    if (const int64_t terms = x.columns; std::min(x.rows, terms) == 1 && x.rows * terms * y.columns > small && !b.transposed && !bias.defined())
      return sum_rows(x.rows, y.columns, terms, x.matrix<T>(), b, static_cast<T*>(out.raw()));
    blas::gemm(x.rows, y.columns, x.columns, T{1}, x.matrix<T>(), y.matrix<T>(), T{0}, static_cast<T*>(out.raw()), y.columns,
               bias.defined() ? static_cast<const T*>(bias.raw()) : nullptr);
  });
}

}  // namespace

void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b, Transposed transposed) {
  multiply_into(out, Operand(a, transposed.a), Operand(b, transposed.b), {});
}

Tensor matmul(const Tensor& a, const Tensor& b, Transposed transposed) {
  const Operand x(a, transposed.a), y(b, transposed.b);
  if (a.rank() == 2 && b.rank() == 2) {
    Tensor out = Tensor::empty({x.rows, y.columns}, a.dtype());
    multiply_into(out, x, y, {});
    return out;
  }
  const int64_t m = x.rows, n = y.columns, k = x.columns;
  Shape shape = broadcast_shapes("matmul", leading(a), leading(b));
  const Shape batch = shape;
  shape.push_back(m);
  shape.push_back(n);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  const Axes x_axes = batch_axes(x.node(), batch), y_axes = batch_axes(y.node(), batch);
  dispatch_floating("matmul", a.dtype(), [&]<class T>() {
    T* data = static_cast<T*>(out.raw());
    const auto multiply = [&](int64_t i) {
      blas::gemm(m, n, k, T{1}, x.matrix<T>(x_axes.offset(i)), y.matrix<T>(y_axes.offset(i)), T{0}, data + i * m * n, n);
    };
    const int64_t count = element_count(batch);
    if (count < 4 && m * n * k > 1 << 18) {  // few large products: BLAS's own threads serve better
      for (int64_t i = 0; i < count; ++i) multiply(i);
    } else {
      parallel_for(count, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, m * n * k)), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) multiply(i);
      });
    }
  });
  return out;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Operand a(x, false), w(weight, true);
  Tensor out = Tensor::empty({a.rows, w.columns}, x.dtype());
  multiply_into(out, a, w, bias.defined() ? contiguous(bias) : bias);
  return out;
}

}  // namespace scry::kernels
