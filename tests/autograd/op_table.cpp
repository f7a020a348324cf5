#include "autograd/op_table.hpp"

namespace scry::test {

std::vector<std::vector<Input>> any_shape(double low, double high) {
  std::vector<std::vector<Input>> cases;
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{37}, Shape{3, 5}, Shape{2, 0, 3}, Shape{2, 3, 4}, Shape{2, 1, 2, 1, 2, 1, 2, 2}})
    cases.push_back({{shape, low, high}});
  return cases;
}

std::vector<std::vector<Input>> broadcasting(double low, double high) {
  std::vector<std::vector<Input>> cases;
  const std::pair<Shape, Shape> shapes[] = {{{}, {}},          {{7}, {7}},      {{3, 4}, {3, 4}}, {{3, 4}, {4}},       {{4}, {3, 4}},
                                            {{3, 1}, {4}},     {{2, 3, 4}, {}}, {{0, 3}, {3}},    {{2, 1, 3}, {4, 1}}, {{2, 3, 1, 1}, {3, 2, 2}},
                                            {{1, 70}, {2, 70}}};
  for (const auto& [a, b] : shapes) cases.push_back({{a, low, high}, {b, low, high}});
  return cases;
}

void for_each_index(const Shape& shape, FunctionRef<void(std::span<const int64_t>)> visit) {
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()), 0);
  for (int64_t i = 0; i < element_count(shape); ++i) {
    int64_t rest = i;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      index[static_cast<size_t>(axis)] = rest % shape[axis];
      rest /= shape[axis];
    }
    visit(index);
  }
}

double at(const Tensor& x, std::span<const int64_t> index) {
  // Aligned at the last axis, so that it also reads broadcast operands.
  int64_t offset = 0;
  const int lead = static_cast<int>(index.size()) - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (x.shape()[axis] != 1) offset += index[static_cast<size_t>(lead + axis)] * x.strides()[axis];
  return dispatch(x.dtype(), [&]<class T>() { return static_cast<double>(static_cast<const T*>(x.raw())[offset]); });
}

Kept<std::vector<double>(Args)> elementwise(double (*f)(double)) {
  return [f](Args x) {
    std::vector<double> out = x[0].to_vector<double>();
    for (double& value : out) value = f(value);
    return out;
  };
}

Kept<std::vector<double>(Args)> elementwise(double (*f)(double, double)) {
  return [f](Args x) {
    std::vector<double> out;
    for_each_index(broadcast_shapes("reference", x[0].shape(), x[1].shape()),
                   [&](std::span<const int64_t> index) { out.push_back(f(at(x[0], index), at(x[1], index))); });
    return out;
  };
}

Kept<std::vector<double>(Args)> placed(Kept<Shape(const Shape&)> shape, Kept<Position(Position, const Shape&)> from, double missing) {
  return [=](Args x) {
    std::vector<double> out;
    for_each_index(shape(x[0].shape()), [&](std::span<const int64_t> i) {
      const Position place = from({i.begin(), i.end()}, x[0].shape());
      out.push_back(place.empty() && x[0].rank() ? missing : at(x[0], place));
    });
    return out;
  };
}

Row unary(const char* op, double low, double high, Tensor (*run)(const Tensor&), double (*reference)(double)) {
  return {op, any_shape(low, high), [run](Args x) { return run(x[0]); }, elementwise(reference), [run] { run(zeros({2}, i64)); }};
}

Row binary(const char* op, double low, double high, Tensor (*run)(const Tensor&, const Tensor&), double (*reference)(double, double)) {
  return {op, broadcasting(low, high), [run](Args x) { return run(x[0], x[1]); }, elementwise(reference), [run] { run(zeros({2, 3}), zeros({4})); }};
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& family :
       {elementwise_rows(), math_rows(), activation_rows(), reduction_rows(), view_rows(), product_rows(), image_rows(), pool_rows(), resize_rows(),
        statistic_rows(), linalg_rows(), indexing_rows(), rearrange_rows(), loss_rows(), recurrent_rows(), attention_rows()})
    rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

}  // namespace scry::test
