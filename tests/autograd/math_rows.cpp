#include <algorithm>
#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// For ops that take integers too.
Row any_type(const char* op, double low, double high, Tensor (*run)(const Tensor&), double (*reference)(double)) {
  return {op, any_shape(low, high), [run](Args x) { return run(x[0]); }, elementwise(reference), [run] { run(Tensor{}); }};
}
// Of whole numbers, so that some are equal.
Row comparison(const char* op, Tensor (*run)(const Tensor&, const Tensor&), double (*reference)(double, double)) {
  Row row = binary(op, -2, 2, run, reference);
  row.run = [run](Args x) { return run(round(x[0]), round(x[1])); };
  row.reference = [reference = row.reference](Args x) { return reference(std::vector<Tensor>{round(x[0]), round(x[1])}); };
  return row;
}

double python_rest(double a, double b) { return a - b * std::floor(a / b); }

}  // namespace

std::vector<Row> math_rows() {
  std::vector<Row> rows = {
      unary("exp2", -3, 3, exp2, std::exp2),
      unary("expm1", -3, 3, expm1, std::expm1),
      unary("log1p", -0.8, 3, log1p, std::log1p),
      unary("log2", 0.2, 3, log2, std::log2),
      unary("rsqrt", 0.2, 3, rsqrt, [](double x) { return 1 / std::sqrt(x); }),
      unary("erf", -3, 3, erf, std::erf),
      unary("erfc", -3, 3, erfc, std::erfc),
      unary("sin", -9, 9, sin, std::sin),
      unary("cos", -9, 9, cos, std::cos),
      unary("tan", -1.2, 1.2, tan, std::tan),
      unary("asin", -0.9, 0.9, asin, std::asin),
      unary("acos", -0.9, 0.9, acos, std::acos),
      unary("atan", -3, 3, atan, std::atan),
      unary("sinh", -3, 3, sinh, std::sinh),
      unary("cosh", -3, 3, cosh, std::cosh),
      unary("asinh", -3, 3, asinh, std::asinh),
      unary("acosh", 1.2, 3, acosh, std::acosh),
      unary("atanh", -0.9, 0.9, atanh, std::atanh),
      any_type("square", -2, 2, square, [](double x) { return x * x; }),
      any_type("abs", -2, 2, abs, [](double x) { return std::abs(x); }),
      any_type("sign", -2, 2, sign, [](double x) { return x > 0   ? 1.0
                                                          : x < 0 ? -1.0
                                                                  : 0.0; }),
      any_type("floor", -3, 3, floor, std::floor),
      any_type("ceil", -3, 3, ceil, std::ceil),
      any_type("round", -3, 3, round, std::nearbyint),
      any_type("trunc", -3, 3, trunc, std::trunc),
      binary("atan2", 0.3, 2, atan2, std::atan2),
      binary("fmod", 0.4, 5, fmod, std::fmod),
      binary(
          "remainder", 0.4, 5, [](const Tensor& a, const Tensor& b) { return remainder(a, -b); },
          [](double a, double b) { return python_rest(a, -b); }),
      binary(
          "pow", 0.3, 2, [](const Tensor& a, const Tensor& b) { return pow(a, b); }, std::pow),
      any_type(
          "pow", -2, 2, [](const Tensor& x) { return pow(x, 3); }, [](double x) { return x * x * x; }),
      any_type(
          "pow", 0.3, 2, [](const Tensor& x) { return pow(x, -1.5); }, [](double x) { return std::pow(x, -1.5); }),
      any_type(
          "pow", -2, 2, [](const Tensor& x) { return pow(1.7, x); }, [](double x) { return std::pow(1.7, x); }),
      binary(
          "minimum", -2, 2, [](const Tensor& a, const Tensor& b) { return minimum(a, b); }, [](double x, double y) { return std::min(x, y); }),
      binary(
          "maximum", -2, 2, [](const Tensor& a, const Tensor& b) { return maximum(a, b); }, [](double x, double y) { return std::max(x, y); }),
      any_type(
          "maximum", -2, 2, [](const Tensor& x) { return maximum(x, 0.5); }, [](double x) { return std::max(x, 0.5); }),
      any_type(
          "clamp", -2, 2, [](const Tensor& x) { return clamp(x, -1, 0.5); }, [](double x) { return std::clamp(x, -1.0, 0.5); }),
      any_type(
          "clamp", -2, 2, [](const Tensor& x) { return clamp(x, std::nullopt, 0.5); }, [](double x) { return std::min(x, 0.5); }),
      binary(
          "where", -2, 2, [](const Tensor& a, const Tensor& b) { return where(gt(a.detach() + b.detach(), 0), a, b); },
          [](double x, double y) { return x + y > 0 ? x : y; }),
      any_type(
          "where", -2, 2, [](const Tensor& x) { return where(lt(x, -0.5), -3, where(lt(x, 1), x, 2)); },
          [](double x) { return x < -0.5 ? -3.0
                                : x < 1  ? x
                                         : 2; }),
      comparison("eq", eq, [](double x, double y) { return double(x == y); }),
      comparison("ne", ne, [](double x, double y) { return double(x != y); }),
      comparison("lt", lt, [](double x, double y) { return double(x < y); }),
      comparison("le", le, [](double x, double y) { return double(x <= y); }),
      comparison("gt", gt, [](double x, double y) { return double(x > y); }),
      comparison("ge", ge, [](double x, double y) { return double(x >= y); }),
      comparison("logical_and", logical_and, [](double x, double y) { return double(x && y); }),
      comparison("logical_or", logical_or, [](double x, double y) { return double(x || y); }),
      comparison("logical_xor", logical_xor, [](double x, double y) { return double(!x != !y); }),
      any_type(
          "logical_not", -1, 1, [](const Tensor& x) { return logical_not(round(x)); }, [](double x) { return double(!std::nearbyint(x)); }),
  };
  for (Row& row : rows) {
    if (row.op == "where") row.error = [] { where(zeros({2}), zeros({2}), zeros({2})); };
    if (row.op == "logical_not") row.error = [] { logical_not(Tensor{}); };
  }
  return rows;
}

}  // namespace scry::test
