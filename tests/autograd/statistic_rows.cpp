#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

// The lines of x along an axis, in row-major order of the other axes.
std::vector<Values> lines_of(const Tensor& x, int axis) {
  std::vector<Values> out;
  Shape others = x.shape();
  others[axis] = std::min<int64_t>(1, others[axis]);
  for_each_index(others, [&](std::span<const int64_t> index) {
    std::vector<int64_t> place(index.begin(), index.end());
    out.emplace_back();
    for (int64_t j = 0; j < x.shape()[axis]; ++j) {
      place[static_cast<size_t>(axis)] = j;
      out.back().push_back(at(x, place));
    }
  });
  return out;
}

// Reduces each line along the last axis after x's axes were ordered by `order`, the last `count` of which are taken together.
Kept<Values(Args)> by_line(std::vector<int> order, int count, Kept<Values(const Values&)> f) {
  return [=](Args x) {
    Values out;
    const Tensor together = contiguous(x[0].rank() ? flatten(permute(x[0], order), -count, -1) : reshape(x[0], {1}));
    for (const Values& line : lines_of(together, together.rank() - 1))
      for (double value : f(line)) out.push_back(value);
    return out;
  };
}

// The results of f for lines along axis 1 of [A, B, C], put back in place.
Kept<Values(Args)> along_middle(Kept<Values(const Values&)> f) {
  return [=](Args x) {
    const std::vector<Values> lines = lines_of(x[0], 1);
    const int64_t size = static_cast<int64_t>(f(lines[0]).size()), inner = x[0].size(2);
    Values out(static_cast<size_t>(x[0].size(0) * size * inner));
    for (size_t line = 0; line < lines.size(); ++line) {
      const Values result = f(lines[line]);
      const auto place = static_cast<int64_t>(line);
      for (int64_t j = 0; j < size; ++j)
        out[static_cast<size_t>((place / inner * size + j) * inner + place % inner)] = result[static_cast<size_t>(j)];
    }
    return out;
  };
}

// The sum of f over the line.
double total(const Values& line, FunctionRef<double(double)> f) {
  double sum = 0;
  for (double v : line) sum += f(v);
  return sum;
}

Values product(const Values& line) {
  double y = 1;
  for (double v : line) y *= v;
  return {y};
}

Values largest(const Values& line) { return {*std::max_element(line.begin(), line.end())}; }
Values smallest(const Values& line) { return {*std::min_element(line.begin(), line.end())}; }

double variance(const Values& line, double correction) {
  const auto count = static_cast<double>(line.size());
  const double mean = total(line, [](double v) { return v; }) / count;
  return total(line, [=](double v) { return (v - mean) * (v - mean); }) / (count - correction);
}

Kept<Values(const Values&)> norm_of(double p) {
  return [p](const Values& line) {
    if (std::isinf(p))
      return Values{std::abs(*std::max_element(line.begin(), line.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }))};
    if (p == 0) return Values{total(line, [](double v) { return v != 0; })};
    return Values{std::pow(total(line, [p](double v) { return std::pow(std::abs(v), p); }), 1 / p)};
  };
}

Values running(const Values& line, double start, double (*f)(double, double)) {
  Values out;
  for (double v : line) out.push_back(start = f(start, v));
  return out;
}

Values in_order(Values line, bool descending, size_t count) {
  std::sort(line.begin(), line.end());
  if (descending) std::reverse(line.begin(), line.end());
  line.resize(std::min(count, line.size()));
  return line;
}

// Some elements of x replaced by zeros, so that gradients meet them.
Tensor with_zeros(const Tensor& x, int64_t every) {
  const Tensor mask = ones({x.numel()}, x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < x.numel(); i += every) static_cast<T*>(mask.raw())[i] = T{0};
  });
  return x * reshape(mask, x.shape());
}

Kept<Values(Args)> zeroed(Kept<Values(Args)> reference, int64_t every) {
  return [=](Args x) { return reference(std::vector<Tensor>{with_zeros(x[0], every)}); };
}

const std::vector<std::vector<Input>> shapes = {{{{3, 4, 5}}}, {{{2, 3, 2}}}, {{{2, 1, 3}}}, {{{1, 7, 300}}}, {{{40, 3, 33}}}, {{{3, 300, 2}}}};

std::vector<Row> norm_rows() {
  std::vector<Row> rows;
  for (const double p : {0.0, 1.0, 2.0, 3.0, 1.5, static_cast<double>(INFINITY)}) {
    rows.push_back({"norm", shapes,
                    [p](Args x) {
                      return norm(x[0], p, {0, 2}, true);
                    },
                    by_line({1, 0, 2}, 2, norm_of(p)), [] { norm(zeros({2}, i64)); }});
  }
  rows.push_back(
      {"norm", any_shape(-2, 2), [](Args x) { return norm(x[0]); }, by_line({0, 1, 2, 3, 4, 5, 6, 7}, 0, norm_of(2)), [] { norm(zeros({2}), NAN); }});
  rows.back().reference = [](Args x) { return norm_of(2)(x[0].to_vector<double>()); };
  return rows;
}

std::vector<Row> extreme_rows() {
  return {
      {"amax", shapes,
       [](Args x) {
         return amax(x[0], {0, -1});
       },
       by_line({1, 0, 2}, 2, largest),
       [] {
         amax(zeros({2, 0}), 1);
       }},
      {"amin", shapes, [](Args x) { return amin(x[0], 1, true); }, along_middle(smallest), [] { amin(zeros({2}), 1); }},
      {"max", shapes, [](Args x) { return max(x[0]); }, [](Args x) { return largest(x[0].to_vector<double>()); }, [] { max(zeros({0})); }},
      {"max", shapes, [](Args x) { return max(x[0], 1).values; }, along_middle(largest), [] { max(zeros({0}), 0); }},
      {"min", shapes, [](Args x) { return min(x[0], 0, true).values; }, by_line({1, 2, 0}, 1, smallest), [] { min(Tensor{}, 0); }},
      {"argmax", shapes, [](Args x) { return argmax(x[0], 1); },
       along_middle([](const Values& v) { return Values{static_cast<double>(std::max_element(v.begin(), v.end()) - v.begin())}; }),
       [] { argmax(zeros({2}), 2); }},
      {"argmin", shapes, [](Args x) { return argmin(x[0], -1); },
       by_line({0, 1, 2}, 1, [](const Values& v) { return Values{static_cast<double>(std::min_element(v.begin(), v.end()) - v.begin())}; }),
       [] { argmin(zeros({0})); }},
  };
}

std::vector<Row> order_rows() {
  return {
      {"sort", shapes, [](Args x) { return sort(x[0], 1).values; }, along_middle([](const Values& v) { return in_order(v, false, v.size()); }),
       [] { sort(zeros({2}), 1); }},
      {"sort", shapes, [](Args x) { return sort(x[0], -1, true).values; },
       by_line({0, 1, 2}, 1, [](const Values& v) { return in_order(v, true, v.size()); }), [] { sort(Tensor{}); }},
      {"argsort", shapes, [](Args x) { return gather(x[0], argsort(x[0], -1), -1); },
       by_line({0, 1, 2}, 1, [](const Values& v) { return in_order(v, false, v.size()); }), [] { argsort(zeros({2}), -2); }},
      {"topk",
       {{{{3, 4, 5}}}, {{{2, 300, 2}}}},
       [](Args x) { return topk(x[0], 3, 1).values; },
       along_middle([](const Values& v) { return in_order(v, true, 3); }),
       [] { topk(zeros({2}), 3); }},
      {"topk",
       {{{{3, 4, 5}}}, {{{2, 2, 300}}}},
       [](Args x) { return topk(x[0], 2, -1, false).values; },
       by_line({0, 1, 2}, 1, [](const Values& v) { return in_order(v, false, 2); }),
       [] { topk(zeros({2}), -1); }},
  };
}

std::vector<Row> scan_rows() {
  const auto products = [](const Values& v) { return running(v, 1, [](double a, double b) { return a * b; }); };
  const std::vector<std::vector<Input>> near_one = {{{{3, 4, 5}}}, {{{2, 3, 2}}}, {{{2, 1, 3}}}, {{{2, 0, 3}}}, {{{1, 30, 70}, 0.9, 1.1}}};
  const std::vector<std::vector<Input>> small = {{{{3, 4, 5}}}, {{{2, 3, 2}}}, {{{2, 1, 3}}}};
  const auto sums = along_middle([](const Values& v) { return running(v, 0, [](double a, double b) { return a + b; }); });
  return {
      {"cumsum", shapes, [](Args x) { return cumsum(x[0], 1); }, sums, [] { cumsum(zeros({2}), 1); }},
      {"cumsum", shapes, [](Args x) { return cumsum(x[0], -1); },
       by_line({0, 1, 2}, 1, [](const Values& v) { return running(v, 0, [](double a, double b) { return a + b; }); }), [] { cumsum(Tensor{}, 0); }},
      {"cumprod", near_one, [](Args x) { return cumprod(x[0], 1); }, [=](Args x) { return x[0].numel() ? along_middle(products)(x) : Values{}; },
       [] { cumprod(zeros({2}), -2); }},
      {"cumprod", small, [](Args x) { return cumprod(with_zeros(x[0], 3), 1); }, zeroed(along_middle(products), 3), [] { cumprod(Tensor{}, 0); }},
      {"prod", any_shape(-1.5, 1.5), [](Args x) { return prod(x[0]); }, [](Args x) { return product(x[0].to_vector<double>()); },
       [] { prod(zeros({2}), 1); }},
      {"prod", small,
       [](Args x) {
         return prod(with_zeros(x[0], 7), {0, 2}, true);
       },
       zeroed(by_line({1, 0, 2}, 2, product), 7),
       [] {
         prod(zeros({2, 2}), {0, -2});
       }},
      {"prod", shapes, [](Args x) { return prod(x[0] * 0.1 + 1, 1); },
       [](Args x) { return along_middle(product)(std::vector<Tensor>{x[0] * 0.1 + 1}); }, [] { prod(Tensor{}); }, 1e-5},
  };
}

}  // namespace

std::vector<Row> statistic_rows() {
  const std::vector<std::vector<Input>> several = {{{{3, 4, 5}}}, {{{2, 3, 2}}}, {{{1, 7, 300}}}, {{{40, 3, 33}}}, {{{3, 300, 2}, 1000, 1001}}};
  std::vector<Row> rows = {
      {"var", several, [](Args x) { return var(x[0], 1); }, along_middle([](const Values& v) { return Values{variance(v, 1)}; }),
       [] { var(zeros({2}, u8)); }, 1e-5},
      {"var", several,
       [](Args x) {
         return var(x[0], {0, 2}, {.correction = 0, .keepdim = true});
       },
       by_line({1, 0, 2}, 2, [](const Values& v) { return Values{variance(v, 0)}; }), [] { var(zeros({2}), 1); }, 1e-5},
      {"std", several, [](Args x) { return std(x[0]); }, [](Args x) { return Values{std::sqrt(variance(x[0].to_vector<double>(), 1))}; },
       [] { std(zeros({2}), -2); }, 1e-5},
      {"std", several, [](Args x) { return std(x[0], -1); }, by_line({0, 1, 2}, 1, [](const Values& v) { return Values{std::sqrt(variance(v, 1))}; }),
       [] { std(Tensor{}); }, 1e-5},
      {"logsumexp", shapes,
       [](Args x) {
         return logsumexp(x[0], {0, 1});
       },
       by_line({2, 0, 1}, 2, [](const Values& v) { return Values{std::log(total(v, [](double e) { return std::exp(e); }))}; }),
       [] { logsumexp(zeros({2}, i64)); }},
      {"all", shapes, [](Args x) { return all(with_zeros(x[0], 5), 1); },
       zeroed(along_middle([](const Values& v) { return Values{total(v, [](double e) { return e == 0; }) == 0 ? 1.0 : 0.0}; }), 5),
       [] { all(Tensor{}); }},
      {"any", shapes,
       [](Args x) {
         return any(with_zeros(x[0], 1), {0, 2});
       },
       [](Args x) { return Values(static_cast<size_t>(x[0].size(1)), 0.0); }, [] { any(zeros({2}), 1); }},
      {"count_nonzero", shapes, [](Args x) { return count_nonzero(with_zeros(x[0], 3), 1); },
       zeroed(along_middle([](const Values& v) { return Values{total(v, [](double e) { return e != 0; })}; }), 3),
       [] { count_nonzero(zeros({2}), 1); }},
  };
  for (const auto& family : {norm_rows(), extreme_rows(), order_rows(), scan_rows()}) rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

}  // namespace scry::test
