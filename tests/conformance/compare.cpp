#include "conformance/case.hpp"

#include <algorithm>
#include <cmath>

namespace scry::conformance {
namespace {

// How far a value may lie from the expected one: a share of that, and a share of the largest one around it, since in a sum the terms' errors
// stay where the terms cancel. The expected values were computed by NumPy in the type itself, with roundings and orders of summation of its own.
struct Tolerance {
  double relative, of_largest;
};

// f32: about a hundred roundings of 6e-8, what sums of some hundred products and a few functions add up to. f64: some thousand roundings of
// 1e-16, for its few cases. f16: our f32 is right, and theirs was rounded to 5e-4. Integers and bools agree exactly.
Tolerance tolerance_of(const std::string& dtype) {
  if (dtype == "float16") return {1e-3, 5e-4};
  if (dtype == "float64") return {1e-12, 1e-13};
  return {1e-5, 1e-6};
}

// The value as the narrower type holds it: integers wrap around, halves overflow.
double held_as(const std::string& dtype, double value) {
  return dtype == "float16" && std::abs(value) >= 65520 ? std::copysign(INFINITY, value) : value;
}
int64_t held_as(const std::string& dtype, int64_t value) {
  if (dtype == "int8") return static_cast<int8_t>(value);
  if (dtype == "int16") return static_cast<int16_t>(value);
  if (dtype == "int32") return static_cast<int32_t>(value);
  if (dtype == "uint16") return static_cast<uint16_t>(value);
  if (dtype == "uint32") return static_cast<uint32_t>(value);
  return value;
}

template <class T>
std::string compare(const Tensor& got, const Value& expected, const auto& close) {
  const std::vector<T> a = got.to_vector<T>(), b = expected.tensor.to_vector<T>();
  for (size_t i = 0; i < a.size(); ++i)
    if (const T held = held_as(expected.dtype, a[i]); !close(held, b[i]))
      return text("element ", i, " of shape ", got.shape(), " is ", held, ", expected ", b[i]);
  return "";
}

}  // namespace

std::string difference(const Tensor& got, const Value& expected) {
  const Tensor& want = expected.tensor;
  if (!(got.shape() == want.shape())) return text("has shape ", got.shape(), ", expected ", want.shape());
  if (got.dtype() != want.dtype()) return text("is ", got.dtype(), ", expected ", want.dtype(), " (", expected.dtype, ")");
  if (!is_floating(want.dtype())) return compare<int64_t>(got, expected, [](int64_t a, int64_t b) { return a == b; });
  double largest = 0;
  for (const double value : want.to_vector<double>())
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  const Tolerance tolerance = tolerance_of(expected.dtype);
  return compare<double>(got, expected, [&](double a, double b) {
    if (std::isnan(b)) return std::isnan(a);
    if (std::isinf(b)) return a == b;
    return std::abs(a - b) <= tolerance.relative * std::abs(b) + tolerance.of_largest * largest;
  });
}

}  // namespace scry::conformance
