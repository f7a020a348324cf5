#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// Values of x read at index(i) for every index i of the result's shape.
Kept<std::vector<double>(Args)> reading(Kept<Shape(const Shape&)> shape, Kept<std::vector<int64_t>(std::span<const int64_t>)> index) {
  return [=](Args x) {
    std::vector<double> out;
    for_each_index(shape(x[0].shape()), [&](std::span<const int64_t> i) { out.push_back(at(x[0], index(i))); });
    return out;
  };
}

const auto same_values = [](Args x) { return x[0].to_vector<double>(); };

}  // namespace

std::vector<Row> view_rows() {
  const std::vector<std::vector<Input>> cube = {{{{3, 4, 5}}}, {{{1, 6, 1}}}};
  return {
      {"reshape", cube,
       [](Args x) {
         return reshape(x[0], {2, -1});
       },
       same_values, [] { reshape(zeros({4}), {3}); }},
      {"reshape",
       {{{{2, 3, 4}}}},
       [](Args x) {
         return reshape(transpose(x[0], 0, 1), {6, 4});
       },
       reading(
           [](const Shape&) {
             return Shape{3, 2, 4};
           },
           [](auto i) {
             return std::vector{i[1], i[0], i[2]};
           }),
       [] {
         reshape(zeros({4}), {-1, -1});
       }},
      {"permute", cube,
       [](Args x) {
         return permute(x[0], {2, 0, 1});
       },
       reading(
           [](const Shape& s) {
             return Shape{s[2], s[0], s[1]};
           },
           [](auto i) {
             return std::vector{i[1], i[2], i[0]};
           }),
       [] {
         permute(zeros({2, 2}), {0, 0});
       }},
      {"transpose", cube, [](Args x) { return transpose(x[0], 0, -1); },
       reading(
           [](const Shape& s) {
             return Shape{s[2], s[1], s[0]};
           },
           [](auto i) {
             return std::vector{i[2], i[1], i[0]};
           }),
       [] { transpose(zeros({2}), 0, 1); }},
      {"unsqueeze", cube, [](Args x) { return unsqueeze(x[0], 1); }, same_values, [] { unsqueeze(zeros({2}), 3); }},
      {"squeeze", {{{{3, 1, 2}}}}, [](Args x) { return squeeze(x[0], 1); }, same_values, [] { squeeze(zeros({2}), 0); }},
      {"expand",
       {{{{3, 1, 2}}}},
       [](Args x) {
         return expand(x[0], {2, 3, 4, 2});
       },
       reading(
           [](const Shape&) {
             return Shape{2, 3, 4, 2};
           },
           [](auto i) {
             return std::vector{i[1], int64_t{0}, i[3]};
           }),
       [] { expand(zeros({2}), {3}); }},
      {"slice",
       {{{{3, 7, 2}}}},
       [](Args x) { return slice(x[0], 1, 1, -1, 2); },
       reading(
           [](const Shape&) {
             return Shape{3, 3, 2};
           },
           [](auto i) {
             return std::vector{i[0], 1 + 2 * i[1], i[2]};
           }),
       [] { slice(zeros({2}), 0, 0, 1, 0); }},
      {"slice",
       {{{{3, 7, 2}}}},
       [](Args x) { return slice(x[0], 1, -1, to_end, -3); },
       reading(
           [](const Shape&) {
             return Shape{3, 3, 2};
           },
           [](auto i) {
             return std::vector{i[0], 6 - 3 * i[1], i[2]};
           }),
       [] { slice(zeros({2}), 1, 0); }},
      {"narrow",
       {{{{3, 7, 2}}}},
       [](Args x) { return narrow(x[0], 1, 2, 4); },
       reading(
           [](const Shape&) {
             return Shape{3, 4, 2};
           },
           [](auto i) {
             return std::vector{i[0], 2 + i[1], i[2]};
           }),
       [] { narrow(zeros({2}), 0, 1, 2); }},
      {"select",
       {{{{3, 7, 2}}}},
       [](Args x) { return select(x[0], 1, -2); },
       reading(
           [](const Shape&) {
             return Shape{3, 2};
           },
           [](auto i) {
             return std::vector{i[0], int64_t{5}, i[1]};
           }),
       [] { select(zeros({2}), 0, 2); }},
      {"contiguous", cube, [](Args x) { return contiguous(transpose(x[0], 0, 2)); },
       reading(
           [](const Shape& s) {
             return Shape{s[2], s[1], s[0]};
           },
           [](auto i) {
             return std::vector{i[2], i[1], i[0]};
           }),
       [] { contiguous(Tensor{}); }},
  };
}

}  // namespace scry::test
