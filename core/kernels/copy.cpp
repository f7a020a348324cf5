#include <scry/core/kernels/convert.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/elementwise.hpp>
#include <scry/core/kernels/transpose.hpp>
#include <algorithm>

namespace scry::kernels {
namespace {

template <class To, class From>
void convert_loop(void* out, const void* const* in, int64_t n, const void*) {
  auto* to = static_cast<To*>(out);
  const auto* from = static_cast<const From*>(in[0]);
  for (int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i]);
}

Loop loop_between(DType to, DType from) {
  return dispatch(to, [&]<class To>() { return dispatch(from, []<class From>() -> Loop { return convert_loop<To, From>; }); });
}

}  // namespace

Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : dense_copy(x); }

Tensor dense_copy(const Tensor& x) {
  Tensor out = Tensor::empty(x.shape(), x.dtype());
  copy_into(out, x);
  return out;
}

Tensor clone(const Tensor& x) { return elementwise(x.shape(), x.dtype(), {&x}, loop_between(x.dtype(), x.dtype()), nullptr); }

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return elementwise(x.shape(), dtype, {&x}, loop_between(dtype, x.dtype()), nullptr);
}

void copy_into(const Tensor& out, const Tensor& x) {
  require(broadcast_shapes("copy", out.shape(), x.shape()) == out.shape(), "copy: shape ", x.shape(), " does not broadcast to ", out.shape());
  if (!copy_transposed(out, x)) elementwise_into(out, {&x}, loop_between(out.dtype(), x.dtype()), nullptr);
}

void fill(const Tensor& out, double value) {
  // A dense tensor in any order of its axes is one run.
  dispatch(out.dtype(), [&]<class T>() {
    const T element = convert<T>(value);
    const Loop loop = [](void* to, const void* const*, int64_t n, const void* from) {
      std::fill_n(static_cast<T*>(to), n, *static_cast<const T*>(from));
    };
    elementwise_into(out, {}, loop, &element);
  });
}

}  // namespace scry::kernels
