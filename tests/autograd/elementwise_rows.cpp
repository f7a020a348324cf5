#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// A row for f(x): `wrong` is a call that must fail.
Row with_number(const char* op, double low, double high, Tensor (*run)(const Tensor&), double (*reference)(double)) {
  return {op, any_shape(low, high), [run](Args x) { return run(x[0]); }, elementwise(reference), [run] { run(Tensor{}); }};
}

}  // namespace

std::vector<Row> elementwise_rows() {
  std::vector<Row> rows = {
      binary(
          "add", -2, 2, [](const Tensor& a, const Tensor& b) { return add(a, b); }, [](double x, double y) { return x + y; }),
      binary("sub", -2, 2, sub, [](double x, double y) { return x - y; }),
      binary("mul", -2, 2, mul, [](double x, double y) { return x * y; }),
      binary("div", 0.5, 2, div, [](double x, double y) { return x / y; }),
      unary("exp", -2, 2, exp, std::exp),
      unary("log", 0.2, 3, log, std::log),
      unary("sqrt", 0.2, 3, sqrt, std::sqrt),
      unary("tanh", -3, 3, tanh, std::tanh),
      unary("sigmoid", -5, 5, sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }),
      unary(
          "relu", -2, 2, [](const Tensor& x) { return relu(x); }, [](double x) { return std::max(x, 0.0); }),
  };
  rows.push_back({"neg", any_shape(-2, 2), [](Args x) { return -x[0]; }, elementwise([](double x) { return -x; }), [] { neg(Tensor{}); }});
  rows.push_back({"cast", any_shape(-2, 2), [](Args x) { return cast(cast(x[0], x[0].dtype() == f64 ? f32 : f64), x[0].dtype()); },
                  elementwise([](double x) { return static_cast<double>(static_cast<float>(x)); }), [] { cast(Tensor{}, f32); }, 2e-6, 0.5});
  rows.push_back({"clone", any_shape(-2, 2), [](Args x) { return clone(x[0]); }, elementwise([](double x) { return x; }), [] { clone(Tensor{}); }});
  for (Row& row : std::vector<Row>{
           with_number(
               "add", -2, 2, [](const Tensor& x) { return x + 1.5; }, [](double x) { return x + 1.5; }),
           with_number(
               "mul", -2, 2, [](const Tensor& x) { return -3 * x; }, [](double x) { return -3 * x; }),
           with_number(
               "div", -2, 2, [](const Tensor& x) { return x / 3; }, [](double x) { return x / 3; }),
           with_number(
               "sub", -2, 2, [](const Tensor& x) { return 1 - x; }, [](double x) { return 1 - x; }),
           with_number(
               "div", 0.5, 2, [](const Tensor& x) { return 2 / x; }, [](double x) { return 2 / x; }),
       })
    rows.push_back(std::move(row));
  return rows;
}

}  // namespace scry::test
