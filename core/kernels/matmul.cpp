#include <scry/core/blas.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/matmul.hpp>
#include <scry/core/kernels/reduce_driver.hpp>
#include <scry/core/parallel.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

int64_t rows_of(const Tensor& x) { return x.shape()[x.rank() - 2]; }
int64_t columns_of(const Tensor& x) { return x.shape()[x.rank() - 1]; }

// Whether BLAS can take the last two axes as they lie: one of them dense, the other stepping far enough.
bool fits_blas(const Tensor& x) {
  const int64_t rows = rows_of(x), columns = columns_of(x), down = x.strides()[x.rank() - 2], across = x.strides()[x.rank() - 1];
  return (across == 1 && (down >= std::max<int64_t>(columns, 1) || rows == 1)) ||
         (down == 1 && (across >= std::max<int64_t>(rows, 1) || columns == 1));
}

// The tensor itself, or a copy that is made in `copy`.
const Tensor& for_blas(const Tensor& x, Tensor& copy) { return fits_blas(x) ? x : copy = contiguous(x); }

template <class T>
blas::Matrix<T> matrix(const Tensor& x, int64_t offset) {
  const int64_t rows = rows_of(x), columns = columns_of(x), down = x.strides()[x.rank() - 2], across = x.strides()[x.rank() - 1];
  const T* data = static_cast<const T*>(x.raw()) + offset;
  if (across == 1 && (down >= std::max<int64_t>(columns, 1) || rows == 1)) return {data, std::max(down, std::max<int64_t>(columns, 1)), false};
  return {data, std::max(across, std::max<int64_t>(rows, 1)), true};
}

// The leading axes of an operand, broadcast to those of the result.
Axes batch_axes(const Tensor& x, const Shape& batch) {
  Axes axes;
  const int lead = batch.rank() - (x.rank() - 2);
  for (int i = 0; i < batch.rank(); ++i) axes.add(batch[i], i < lead || x.shape()[i - lead] == 1 ? 0 : x.strides()[i - lead]);
  return axes;
}

Shape leading(const Tensor& x) { return Shape(std::span<const int64_t>(x.shape().begin(), x.shape().end() - 2)); }

}  // namespace

void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b) {
  Tensor a_copy, b_copy;
  const Tensor &x = for_blas(a, a_copy), &y = for_blas(b, b_copy);
  const int64_t m = rows_of(x), k = columns_of(x), n = columns_of(y);
  if (m == 0 || n == 0) return;
  dispatch_floating("matmul", out.dtype(),
                    [&]<class T>() { blas::gemm(m, n, k, T{1}, matrix<T>(x, 0), matrix<T>(y, 0), T{0}, static_cast<T*>(out.raw()), n); });
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  const int64_t m = rows_of(a), k = columns_of(a), n = columns_of(b);
  if (a.rank() == 2 && b.rank() == 2) {
    Tensor out = Tensor::empty({m, n}, a.dtype());
    matmul_into(out, a, b);
    return out;
  }
  Shape shape = broadcast_shapes("matmul", leading(a), leading(b));
  const Shape batch = shape;
  shape.push_back(m);
  shape.push_back(n);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  Tensor a_copy, b_copy;
  const Tensor &x = for_blas(a, a_copy), &y = for_blas(b, b_copy);
  const Axes x_axes = batch_axes(x, batch), y_axes = batch_axes(y, batch);
  dispatch_floating("matmul", a.dtype(), [&]<class T>() {
    T* data = static_cast<T*>(out.raw());
    const auto multiply = [&](int64_t i) {
      blas::gemm(m, n, k, T{1}, matrix<T>(x, x_axes.offset(i)), matrix<T>(y, y_axes.offset(i)), T{0}, data + i * m * n, n);
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
  Tensor x_copy, weight_copy;
  const Tensor &a = for_blas(x, x_copy), &w = for_blas(weight, weight_copy);
  const int64_t rows = rows_of(x), in = columns_of(x), out_features = rows_of(weight);
  Tensor out = Tensor::empty({rows, out_features}, x.dtype());
  if (out.numel() == 0) return out;
  dispatch_floating("linear", x.dtype(), [&]<class T>() {
    T* data = static_cast<T*>(out.raw());
    const Tensor b = bias.defined() ? contiguous(bias) : bias;
    blas::Matrix<T> transposed = matrix<T>(w, 0);
    transposed.transposed = !transposed.transposed;
    blas::gemm(rows, out_features, in, T{1}, matrix<T>(a, 0), transposed, T{0}, data, out_features,
               b.defined() ? static_cast<const T*>(b.raw()) : nullptr);
  });
  return out;
}

}  // namespace scry::kernels
