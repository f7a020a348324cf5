#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/cast.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/rearrange.hpp>
#include <scry/autograd/ops/view.hpp>
#include <scry/core/creation.hpp>
#include <scry/core/random.hpp>
#include <scry/nn/position.hpp>
#include <cmath>

namespace scry::nn {
namespace {

void check_sizes(const char* kind, int64_t length, int64_t width, bool even) {
  require(length >= 1 && width >= 1 && (!even || width % 2 == 0), "nn.", kind, ": expected at least one position and ",
          even ? "an even" : "a positive", " width, got ", length, " and ", width);
}

// The angle p base^(-2 i / E) of each pair i, for both of its elements: [length, E].
Tensor angles(int64_t length, int64_t width, double base) {
  std::vector<double> out;
  for (int64_t p = 0; p < length; ++p)
    for (int64_t e = 0; e < width; ++e)
      out.push_back(static_cast<double>(p) * std::pow(base, -static_cast<double>(e / 2 * 2) / static_cast<double>(width)));
  return Tensor::of(out, {length, width});
}

// The rows of a table [length, E] for the positions of x.
Tensor rows_for(const Tensor& table, const Tensor& x, int64_t offset) {
  require(x.defined() && x.rank() >= 2 && x.size(-1) == table.size(1), "expected an input of shape [..., L, ", table.size(1), "]",
          x.defined() ? text(", got ", x.shape()) : "");
  require(offset >= 0 && offset + x.size(-2) <= table.size(0), "positions ", offset, " to ", offset + x.size(-2), " are past the ", table.size(0),
          " that there are");
  return narrow(table, 0, offset, x.size(-2));
}

}  // namespace

SinusoidalEncoding::SinusoidalEncoding(int64_t length, int64_t width, DType dtype) {
  check_sizes("SinusoidalEncoding", length, width, false);
  Tensor values = angles(length, width, 10000);
  auto* value = values.mutable_data<double>();
  for (int64_t i = 0; i < values.numel(); ++i) value[i] = i % width % 2 ? std::cos(value[i]) : std::sin(value[i]);
  pe = buffer("pe", cast(values, dtype));
}
Tensor SinusoidalEncoding::forward(const Tensor& x, int64_t offset) const { return x + rows_for(pe, x, offset); }

LearnedEncoding::LearnedEncoding(int64_t length, int64_t width, DType dtype) {
  check_sizes("LearnedEncoding", length, width, false);
  weight = parameter("weight", randn({length, width}, dtype) * 0.02);
}
Tensor LearnedEncoding::forward(const Tensor& x, int64_t offset) const { return x + rows_for(weight, x, offset); }

RotaryEncoding::RotaryEncoding(int64_t length, int64_t width, double base, DType dtype) {
  check_sizes("RotaryEncoding", length, width, true);
  const Tensor turns = angles(length, width, base);
  cosines = buffer("cosines", cast(cos(turns), dtype));
  sines = buffer("sines", cast(sin(turns), dtype));
}
Tensor RotaryEncoding::forward(const Tensor& x, int64_t offset) const {
  const Tensor turned_cos = rows_for(cosines, x, offset), turned_sin = rows_for(sines, x, offset);
  // A quarter turn: (a, b) -> (-b, a).
  Shape pairs = x.shape();
  pairs[x.rank() - 1] /= 2;
  pairs.push_back(2);
  const Tensor split = reshape(x, pairs);
  const Tensor quarter = reshape(stack({-select(split, -1, 1), select(split, -1, 0)}, -1), x.shape());
  return x * turned_cos + quarter * turned_sin;
}

}  // namespace scry::nn
