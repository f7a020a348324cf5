#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/check.hpp>
#include <scry/autograd/tape.hpp>
#include <scry/core/kernels/arithmetic.hpp>
#include <scry/core/kernels/layout.hpp>

namespace scry {

using autograd::record;
using autograd::require_both;
using autograd::require_defined;
using autograd::with_number;
using autograd::wrt;

namespace {

// The type in which operands of two types, or bools, add up and multiply; nothing where it is theirs.
std::optional<DType> common_type(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return a.dtype() == boolean ? std::optional(i64) : std::nullopt;
  return std::max(promote(a.dtype(), b.dtype()), u8);
}

Tensor to_divisor(const Tensor& g, const Tensor& divisor, const Tensor& y) { return -(g * y / divisor); }

// a + b, over the memory of the one that nobody else needs if there is one.
Tensor sum(const Tensor& a, const Tensor& b) {
  for (const auto& [to, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (!kernels::expendable(*to) || broadcast_shapes("add", a.shape(), b.shape()) != to->shape()) continue;
    Tensor y = to->detach();
    kernels::add_into(y, *other);
    return y;
  }
  return kernels::add(a, b);
}

}  // namespace

Tensor add(Tensor a, Tensor b) {
  require_both("add", a, b);
  if (const auto dtype = common_type(a, b)) return add(cast(a, *dtype), cast(b, *dtype));
  return record("add")(sum(a, b), wrt(a, [](const Tensor& g) { return g; }), wrt(b, [](const Tensor& g) { return g; }));
}

Tensor sub(const Tensor& a, const Tensor& b) {
  require_both("sub", a, b);
  if (const auto dtype = common_type(a, b)) return sub(cast(a, *dtype), cast(b, *dtype));
  return record("sub")(kernels::sub(a, b), wrt(a, [](const Tensor& g) { return g; }), wrt(b, [](const Tensor& g) { return neg(g); }));
}

Tensor mul(const Tensor& a, const Tensor& b) {
  require_both("mul", a, b);
  if (const auto dtype = common_type(a, b)) return mul(cast(a, *dtype), cast(b, *dtype));
  const auto times = [](const Tensor& g, const Tensor& other) { return g * other; };
  return record("mul")(kernels::mul(a, b), wrt(a, times, b), wrt(b, times, a));
}

Tensor div(const Tensor& a, const Tensor& b) {
  require_both("div", a, b);
  const DType common = std::max(promote(a.dtype(), b.dtype()), f32);
  if (a.dtype() != b.dtype() || a.dtype() != common) return div(cast(a, common), cast(b, common));
  const auto to_dividend = [](const Tensor& g, const Tensor& divisor) { return g / divisor; };
  return record("div")(kernels::div(a, b), wrt(a, to_dividend, b), wrt(b, to_divisor, b, autograd::output));
}

Tensor neg(const Tensor& x) {
  require_defined("neg", x);
  if (x.dtype() == boolean) return neg(cast(x, i64));
  return record("neg")(kernels::neg(x), wrt(x, [](const Tensor& g) { return neg(g); }));
}

Tensor add(const Tensor& a, double b) {
  require_defined("add", a);
  if (const DType dtype = with_number(a, b); dtype != a.dtype()) return add(cast(a, dtype), b);
  return record("add")(kernels::add(a, b), wrt(a, [](const Tensor& g) { return g; }));
}

Tensor mul(const Tensor& a, double b) {
  require_defined("mul", a);
  if (const DType dtype = with_number(a, b); dtype != a.dtype()) return mul(cast(a, dtype), b);
  const auto rule = [](const Tensor& g, double factor) { return g * factor; };
  return record("mul")(kernels::mul(a, b), wrt(a, rule, b));
}

Tensor div(const Tensor& a, double b) {
  require_defined("div", a);
  if (!is_floating(a.dtype())) return div(cast(a, f32), b);
  const auto rule = [](const Tensor& g, double divisor) { return g / divisor; };
  return record("div")(kernels::div(a, b), wrt(a, rule, b));
}

Tensor sub(double a, const Tensor& b) {
  require_defined("sub", b);
  if (const DType dtype = with_number(b, a); dtype != b.dtype()) return sub(a, cast(b, dtype));
  return record("sub")(kernels::sub(a, b), wrt(b, [](const Tensor& g) { return neg(g); }));
}

Tensor div(double a, const Tensor& b) {
  require_defined("div", b);
  if (!is_floating(b.dtype())) return div(a, cast(b, f32));
  return record("div")(kernels::div(a, b), wrt(b, to_divisor, b, autograd::output));
}

}  // namespace scry
