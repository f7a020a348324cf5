#include <scry/core/creation.hpp>
#include <scry/core/kernels/copy.hpp>
#include <scry/core/kernels/scan.hpp>
#include <scry/core/random.hpp>

#include "support.hpp"

namespace scry::kernels {
namespace {

using namespace scry::test;

TEST(Scan, SumsAndProductsAlongRowsAndColumns) {
  Generator generator(3);
  for (const Shape& shape : {Shape{1}, Shape{7, 5}, Shape{3, 8}, Shape{2, 100, 3}, Shape{4, 33}, Shape{66'001}})
    for (const DType dtype : {boolean, u8, i64, f32, f64}) {
      const Tensor x = cast(uniform(shape, is_floating(dtype) ? 0.999 : 0, is_floating(dtype) ? 1.001 : 3, f64, generator), dtype),
                   plain = cast(x, f64);
      for (int axis = 0; axis < shape.rank(); ++axis)
        for (const bool reverse : {false, true})
          for (const bool product : {false, true}) {
            if (product && !is_floating(dtype) && shape[axis] > 8) continue;  // beyond what a double counts
            const Tensor out = product ? cumprod(x, axis, reverse) : cumsum(x, axis, reverse), got = cast(out, f64);
            ASSERT_EQ(out.dtype(), is_floating(dtype) ? dtype : i64);
            std::vector<double> state(static_cast<size_t>(x.numel()));
            const auto* from = static_cast<const double*>(plain.raw());
            const int64_t step = x.strides()[axis], size = shape[axis];
            for (int64_t k = 0; k < x.numel(); ++k) {
              const int64_t i = reverse ? x.numel() - 1 - k : k, along = i / step % size;
              const bool first = along == (reverse ? size - 1 : 0);
              const double before = first ? (product ? 1 : 0) : state[static_cast<size_t>(reverse ? i + step : i - step)];
              const double expected = state[static_cast<size_t>(i)] = product ? before * from[i] : before + from[i];
              ASSERT_NEAR(static_cast<const double*>(got.raw())[i], expected, (dtype == f32 ? 1e-7 : 1e-11) * std::abs(expected))
                  << text(shape, " ", dtype, " axis ", axis, " reverse ", reverse, " at ", i);
            }
            expect_independent_of_threads([&] { return product ? cumprod(x, axis, reverse) : cumsum(x, axis, reverse); });
          }
    }
}

}  // namespace
}  // namespace scry::kernels
