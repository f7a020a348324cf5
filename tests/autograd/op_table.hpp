#pragma once

// One row for every op: from it op_table_test.cpp checks shapes, element types, layouts, values, both derivatives and an error.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "support.hpp"

namespace scry::test {

using Args = std::span<const Tensor>;

/// How one input is made: uniform in [low, high], of a shape.
struct Input {
  Shape shape;
  double low = -2, high = 2;
  bool differentiable = true;
};

struct Row {
  /// The name under which the op is recorded, and that its errors carry.
  std::string op;
  /// Sets of inputs; each is run. Derivatives are checked for sets of at most 120 elements.
  std::vector<std::vector<Input>> cases;
  Kept<Tensor(Args)> run;
  /// The values, row-major, computed in double by another way. Inputs are f64 and row-major.
  Kept<std::vector<double>(Args)> reference;
  /// A call with a bad argument.
  Kept<void()> error;
  /// Allowed error of f32 values, relative to the largest.
  double f32_tolerance = 2e-6;
  /// Step of the central differences.
  double step = 1e-6;
};

/// How test failures name a row.
inline void PrintTo(const Row& row, std::ostream* out) { *out << row.op; }

/// One case for each shape: rank 0 to 8, a zero-size axis, one that needs several registers and a rest.
std::vector<std::vector<Input>> any_shape(double low, double high);
/// Pairs of shapes that broadcast in every way.
std::vector<std::vector<Input>> broadcasting(double low, double high);

/// f(x) for every element.
Kept<std::vector<double>(Args)> elementwise(double (*f)(double));
/// f(x, y) for every element of the broadcast inputs.
Kept<std::vector<double>(Args)> elementwise(double (*f)(double, double));
/// The rows of functions of a number, and of two, that refuse integers.
Row unary(const char* op, double low, double high, Tensor (*run)(const Tensor&), double (*reference)(double));
Row binary(const char* op, double low, double high, Tensor (*run)(const Tensor&, const Tensor&), double (*reference)(double, double));
using Position = std::vector<int64_t>;
/// The values of x[0] at the places that `from` names for every index of the result; an empty place stands for `missing`.
Kept<std::vector<double>(Args)> placed(Kept<Shape(const Shape&)> shape, Kept<Position(Position, const Shape&)> from, double missing = 0);
/// Calls visit(index) for every index of a shape in row-major order.
void for_each_index(const Shape& shape, FunctionRef<void(std::span<const int64_t>)> visit);
/// The element of a tensor at an index.
double at(const Tensor& x, std::span<const int64_t> index);
inline double at(const Tensor& x, std::initializer_list<int64_t> index) { return at(x, std::span(index.begin(), index.size())); }

// The rows, by family; one file each.
std::vector<Row> elementwise_rows();
std::vector<Row> math_rows();
std::vector<Row> activation_rows();
std::vector<Row> reduction_rows();
std::vector<Row> view_rows();
std::vector<Row> product_rows();
std::vector<Row> image_rows();
std::vector<Row> pool_rows();
std::vector<Row> resize_rows();
std::vector<Row> statistic_rows();
std::vector<Row> linalg_rows();
std::vector<Row> indexing_rows();
std::vector<Row> rearrange_rows();
std::vector<Row> loss_rows();
std::vector<Row> recurrent_rows();
std::vector<Row> attention_rows();
std::vector<Row> all_rows();

}  // namespace scry::test
