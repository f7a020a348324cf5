#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// An index of this shape, with repetitions and negative entries, into an axis of `size`.
Tensor index_of(const Shape& shape, int64_t size) {
  Tensor index = Tensor::empty(shape, i64);
  for (int64_t i = 0; i < index.numel(); ++i) index.mutable_data<int64_t>()[i] = (i * 5 + i / 3 + 1) % size - (i % 4 == 2 ? size : 0);
  return index;
}

int64_t entry(const Tensor& index, std::span<const int64_t> i, int64_t size) {
  const auto e = static_cast<int64_t>(at(index, i));
  return e < 0 ? e + size : e;
}

size_t flat(const Shape& shape, std::span<const int64_t> i) {
  int64_t out = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) out = out * shape[axis] + i[static_cast<size_t>(axis)];
  return static_cast<size_t>(out);
}

// x with element (or, where `adds`, plus element) i of the values at the place that the index names along axis 1.
std::vector<double> written(const Tensor& x, const Tensor& index, const Tensor& values, bool adds) {
  std::vector<double> out = x.to_vector<double>();
  for_each_index(index.shape(), [&](std::span<const int64_t> i) {
    Position to(i.begin(), i.end());
    to[1] = entry(index, i, x.size(1));
    double& element = out[flat(x.shape(), to)];
    element = adds ? element + at(values, i) : at(values, i);
  });
  return out;
}

Tensor mask_of(const Shape& shape) {
  Tensor mask = Tensor::empty(shape, boolean);
  for (int64_t i = 0; i < mask.numel(); ++i) mask.mutable_data<bool>()[i] = i % 3 != 1;
  return mask;
}

}  // namespace

std::vector<Row> indexing_rows() {
  const std::vector<std::vector<Input>> cube = {{{{3, 4, 5}}}, {{{1, 6, 1}}}, {{{2, 0, 3}}}, {{{20, 3, 70}}}};
  const std::vector<std::vector<Input>> pairs = {{{{3, 4, 2}}, {{3, 5, 2}}}, {{{2, 3, 70}}, {{2, 4, 66}}}};
  const auto shrunk = [](const Shape& s) { return Shape{s[0], 3, s[2]}; };
  return {
      {"gather", cube,
       [](Args x) {
         return gather(x[0], index_of({x[0].size(0), x[0].size(1) ? 3 : 0, x[0].size(2)}, std::max<int64_t>(x[0].size(1), 1)), 1);
       },
       [=](Args x) {
         return x[0].numel() ? placed(shrunk,
                                      [](Position i, const Shape& s) {
                                        return Position{i[0], entry(index_of({s[0], 3, s[2]}, s[1]), i, s[1]), i[2]};
                                      })(x)
                             : std::vector<double>{};
       },
       [] {
         gather(zeros({2, 3}), full({2, 1}, 3, i64), 1);
       }},
      {"take_along_dim",
       {{{{1, 4, 5}}}},
       [](Args x) {
         return take_along_dim(x[0], index_of({2, 3, 1}, 4), 1);
       },
       placed(
           [](const Shape&) {
             return Shape{2, 3, 5};
           },
           [](Position i, const Shape&) {
             return Position{0, entry(index_of({2, 3, 1}, 4), i, 4), i[2]};
           }),
       [] {
         take_along_dim(zeros({2, 3}), zeros({3, 1}, i64), 1);
       }},
      {"scatter", pairs, [](Args x) { return scatter(x[0], index_of(x[1].shape(), x[0].size(1)), x[1], 1); },
       [](Args x) { return written(x[0], index_of(x[1].shape(), x[0].size(1)), x[1], false); },
       [] {
         scatter(zeros({2, 3}), zeros({3, 1}, i64), zeros({3, 1}), 1);
       }},
      {"scatter",
       {{{{3, 4, 2}}}},
       [](Args x) {
         return scatter(x[0], index_of({2, 1, 2}, 4), 7, 1);
       },
       [](Args x) {
         const Tensor index = index_of({2, 1, 2}, 4);
         return written(x[0], index, full(index.shape(), 7, f64), false);
       },
       [] { scatter(zeros({3}), zeros({1}), 7, 0); }},
      {"scatter_add", pairs, [](Args x) { return scatter_add(x[0], index_of(narrow(x[1], 1, 0, 4).shape(), x[0].size(1)), x[1], 1); },
       [](Args x) { return written(x[0], index_of(narrow(x[1], 1, 0, 4).shape(), x[0].size(1)), x[1], true); },
       [] {
         scatter_add(zeros({2, 3}), zeros({2, 1}, i64), zeros({1, 1}), 1);
       }},
      {"index_select", cube, [](Args x) { return index_select(x[0], index_of({x[0].size(1) ? 3 : 0}, std::max<int64_t>(x[0].size(1), 1)), 1); },
       [=](Args x) {
         return x[0].numel() ? placed(shrunk,
                                      [](Position i, const Shape& s) {
                                        return Position{i[0], entry(index_of({3}, s[1]), std::span(&i[1], 1), s[1]), i[2]};
                                      })(x)
                             : std::vector<double>{};
       },
       [] {
         index_select(zeros({2, 3}), full({1}, -3, i64), 0);
       }},
      {"index_add", pairs,
       [](Args x) {
         const Tensor values = narrow(x[0], 1, 0, 3) * 2.0;
         return index_add(x[0], index_of({3}, x[0].size(1)), values, 1);
       },
       [](Args x) {
         const Tensor index = contiguous(expand(reshape(index_of({3}, x[0].size(1)), {1, 3, 1}), {x[0].size(0), 3, x[0].size(2)}));
         return written(x[0], index, narrow(x[0], 1, 0, 3) * 2.0, true);
       },
       [] {
         index_add(zeros({2, 3}), zeros({2}, i64), zeros({3, 3}), 0);
       }},
      {"embedding",
       {{{{4, 3}}}, {{{4, 70}}}},
       [](Args x) {
         return embedding(tensor({{3, 0, 3}, {1, 3, 0}}), x[0]);
       },
       [](Args x) {
         std::vector<double> out;
         for (int64_t row : {3, 0, 3, 1, 3, 0}) {
           const std::vector<double> values = x[0][row].to_vector<double>();
           out.insert(out.end(), values.begin(), values.end());
         }
         return out;
       },
       [] {
         embedding(tensor({-1}), zeros({2, 2}));
       }},
      {"masked_fill",
       {{{{3, 4}}}, {{{1, 4}}}},
       [](Args x) {
         return masked_fill(x[0], mask_of({3, 4}), -5);
       },
       [](Args x) {
         std::vector<double> out;
         for_each_index({3, 4}, [&](std::span<const int64_t> i) { out.push_back(at(mask_of({3, 4}), i) != 0 ? -5 : at(x[0], i)); });
         return out;
       },
       [] { masked_fill(zeros({2}), zeros({2}), 1); }},
      {"masked_select",
       {{{{3, 4}}}, {{{1, 4}}}},
       [](Args x) {
         return masked_select(x[0], mask_of({3, 4}));
       },
       [](Args x) {
         std::vector<double> out;
         for_each_index({3, 4}, [&](std::span<const int64_t> i) {
           if (at(mask_of({3, 4}), i) != 0) out.push_back(at(x[0], i));
         });
         return out;
       },
       [] { masked_select(zeros({2}), ones({3}, boolean)); }},
  };
}

}  // namespace scry::test
