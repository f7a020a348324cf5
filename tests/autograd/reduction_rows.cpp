#include <cmath>
#include <map>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// Groups of elements that a reduction over `axes` brings together, in row-major order of the kept axes.
std::vector<std::vector<double>> groups(const Tensor& x, const std::vector<int>& axes) {
  std::map<std::vector<int64_t>, std::vector<double>> by_kept;
  for_each_index(x.shape(), [&](std::span<const int64_t> index) {
    std::vector<int64_t> kept(index.begin(), index.end());
    for (int axis = 0; axis < x.rank(); ++axis)
      if (axes.empty() || std::find(axes.begin(), axes.end(), axis) != axes.end()) kept[static_cast<size_t>(axis)] = 0;
    by_kept[kept].push_back(at(x, index));
  });
  std::vector<std::vector<double>> out;
  for (auto& [kept, values] : by_kept) out.push_back(std::move(values));
  return out;
}

Kept<std::vector<double>(Args)> over(std::vector<int> axes, double (*reduce)(const std::vector<double>&)) {
  return [=](Args x) {
    std::vector<double> out;
    for (const auto& group : groups(x[0], axes)) out.push_back(reduce(group));
    return out;
  };
}

double total(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum;
}

double average(const std::vector<double>& values) { return total(values) / static_cast<double>(values.size()); }

// softmax and its logarithm along an axis of [A, B, C].
std::vector<double> softmax_reference(const Tensor& x, int axis, bool logarithm) {
  std::vector<double> out;
  for_each_index(x.shape(), [&](std::span<const int64_t> index) {
    double sum = 0;
    std::vector<int64_t> place(index.begin(), index.end());
    for (int64_t j = 0; j < x.size(axis); ++j) {
      place[static_cast<size_t>(axis)] = j;
      sum += std::exp(at(x, place));
    }
    out.push_back(logarithm ? at(x, index) - std::log(sum) : std::exp(at(x, index)) / sum);
  });
  return out;
}

}  // namespace

std::vector<Row> reduction_rows() {
  const std::vector<std::vector<Input>> shapes = {{{{3, 4, 5}}}, {{{2, 3, 2}}}, {{{1, 7, 300}}}, {{{40, 3, 33}}}};
  return {
      {"sum", any_shape(-2, 2), [](Args x) { return sum(x[0]); }, [](Args x) { return std::vector<double>{total(x[0].to_vector<double>())}; },
       [] { sum(zeros({2}), 1); }},
      {"sum", shapes,
       [](Args x) {
         return sum(x[0], {0, 2}, true);
       },
       over({0, 2}, total),
       [] {
         sum(zeros({2, 2}), {0, 0});
       }},
      {"sum", shapes, [](Args x) { return sum(x[0], -1); }, over({2}, total), [] { sum(zeros({2}), -2); }},
      {"sum", shapes, [](Args x) { return sum(x[0], 1); }, over({1}, total), [] { sum(Tensor{}); }},
      {"mean", shapes,
       [](Args x) {
         return mean(x[0], {0, 1});
       },
       over({0, 1}, average), [] { mean(zeros({2}, i64)); }},
      {"sum_to", shapes,
       [](Args x) {
         return sum_to(x[0], {x[0].size(1), 1});
       },
       over({0, 2}, total), [] { sum_to(zeros({2}), {3}); }},
      {"softmax", shapes, [](Args x) { return softmax(x[0], 1); }, [](Args x) { return softmax_reference(x[0], 1, false); },
       [] { softmax(zeros({2}), 1); }},
      {"log_softmax", shapes, [](Args x) { return log_softmax(x[0], 1); }, [](Args x) { return softmax_reference(x[0], 1, true); },
       [] { log_softmax(zeros({2}, i64), 0); }},
      {"softmax", shapes, [](Args x) { return softmax(x[0], -1); }, [](Args x) { return softmax_reference(x[0], 2, false); },
       [] { softmax(Tensor{}, 0); }},
      {"log_softmax", shapes, [](Args x) { return log_softmax(x[0], -1); }, [](Args x) { return softmax_reference(x[0], 2, true); },
       [] { log_softmax(zeros({2}), -2); }},
  };
}

}  // namespace scry::test
