#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

// The elements of a window that lie on the image, with their places in the channel, and how many lie there with the padding.
struct Seen {
  Values elements;
  std::vector<int64_t> places;
  int64_t with_padding = 0;
};

struct Windows {
  Pair kernel, stride;
  Padding padding;
  Pair dilation;
  bool ceil_mode;
};

// f(what is seen) for every window of [N, C, H, W] or [N, C, L].
Values over_windows(const Tensor& x, Windows w, FunctionRef<double(const Seen&)> f) {
  const Tensor in = x.rank() == 3 ? unsqueeze(x, 2) : x;
  if (x.rank() == 3) {
    for (Pair* p : {&w.kernel, &w.stride, &w.dilation}) p->height = 1;
    for (Pair* p : {&w.padding.before, &w.padding.after}) p->height = 0;
  }
  const auto count = [&](int64_t size, int64_t k, int64_t s, int64_t before, int64_t after, int64_t d) {
    int64_t n = 0;
    for (int64_t start = -before; w.ceil_mode ? start < size && start + d * (k - 1) < size + after + s : start + d * (k - 1) < size + after;
         start += s)
      ++n;
    return n;
  };
  const auto& [kernel, stride, padding, dilation, ceil] = w;
  Values out;
  for_each_index(
      {in.size(0), in.size(1), count(in.size(2), kernel.height, stride.height, padding.before.height, padding.after.height, dilation.height),
       count(in.size(3), kernel.width, stride.width, padding.before.width, padding.after.width, dilation.width)},
      [&](std::span<const int64_t> i) {
        Seen seen;
        for_each_index({kernel.height, kernel.width}, [&](std::span<const int64_t> k) {
          const int64_t row = i[2] * stride.height - padding.before.height + k[0] * dilation.height,
                        column = i[3] * stride.width - padding.before.width + k[1] * dilation.width;
          seen.with_padding += row < in.size(2) + padding.after.height && column < in.size(3) + padding.after.width;
          if (row < 0 || row >= in.size(2) || column < 0 || column >= in.size(3)) return;
          seen.elements.push_back(at(in, {i[0], i[1], row, column}));
          seen.places.push_back(row * in.size(3) + column);
        });
        out.push_back(f(seen));
      });
  return out;
}

const auto largest_seen = [](const Seen& seen) { return *std::max_element(seen.elements.begin(), seen.elements.end()); };
const auto place_of_largest = [](const Seen& seen) {
  return static_cast<double>(seen.places[static_cast<size_t>(std::max_element(seen.elements.begin(), seen.elements.end()) - seen.elements.begin())]);
};
double total(const Seen& seen) {
  double sum = 0;
  for (const double v : seen.elements) sum += v;
  return sum;
}

using Cases = std::vector<std::vector<Input>>;

Row max_row(Pair kernel, const MaxPoolOptions& o, const Cases& cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  const Windows w{kernel, o.stride.value_or(kernel), o.padding, o.dilation, o.ceil_mode};
  return {images ? "max_pool2d" : "max_pool1d", cases,
          [=](Args x) { return images ? max_pool2d(x[0], kernel, o) : max_pool1d(x[0], kernel.width, o); },
          [=](Args x) { return over_windows(x[0], w, largest_seen); },
          [images] {
            images ? max_pool2d(zeros({2, 2}), 2) : max_pool1d(zeros({2, 2, 2}), 2, {.padding = 2});
          }};
}

Row index_row(Pair kernel, const MaxPoolOptions& o, const Cases& cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  const Windows w{kernel, o.stride.value_or(kernel), o.padding, o.dilation, o.ceil_mode};
  return {images ? "max_pool2d_with_indices" : "max_pool1d_with_indices", cases,
          [=](Args x) { return (images ? max_pool2d_with_indices(x[0], kernel, o) : max_pool1d_with_indices(x[0], kernel.width, o)).indices; },
          [=](Args x) { return over_windows(x[0], w, place_of_largest); },
          [images] {
            images ? max_pool2d_with_indices(zeros({1, 1, 2, 2}), 0) : max_pool1d_with_indices(zeros({2, 2}), 2);
          }};
}

Row avg_row(Pair kernel, const AvgPoolOptions& o, const Cases& cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  const Windows w{kernel, o.stride.value_or(kernel), o.padding, 1, o.ceil_mode};
  return {images ? "avg_pool2d" : "avg_pool1d", cases,
          [=](Args x) { return images ? avg_pool2d(x[0], kernel, o) : avg_pool1d(x[0], kernel.width, o); },
          [=](Args x) {
            return over_windows(x[0], w, [&](const Seen& seen) {
              const auto count = o.count_include_pad ? seen.with_padding : static_cast<int64_t>(seen.elements.size());
              return total(seen) / static_cast<double>(o.divisor_override.value_or(count));
            });
          },
          [images] {
            images ? avg_pool2d(zeros({1, 1, 4, 4}), 2, {.padding = 2}) : avg_pool1d(zeros({1, 1, 4}), 2, {.divisor_override = 0});
          }};
}

// Adaptive pooling of [N, C, H, W] to `size`, or of [N, C, L] to its width.
Row adaptive_row(bool maximum, Pair size, const Cases& cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  const std::string name = std::string(maximum ? "adaptive_max_pool" : "adaptive_avg_pool") + (images ? "2d" : "1d");
  const auto run = [=](const Tensor& x, Pair to) {
    if (images) return maximum ? adaptive_max_pool2d(x, to) : adaptive_avg_pool2d(x, to);
    return maximum ? adaptive_max_pool1d(x, to.width) : adaptive_avg_pool1d(x, to.width);
  };
  return {name, cases, [=](Args x) { return run(x[0], size); },
          [=](Args x) {
            const Tensor in = images ? x[0] : unsqueeze(x[0], 2);
            const auto first = [](int64_t i, int64_t n, int64_t of) {
              return static_cast<int64_t>(std::floor(static_cast<double>(i * n) / static_cast<double>(of)));
            };
            const auto last = [](int64_t i, int64_t n, int64_t of) {
              return static_cast<int64_t>(std::ceil(static_cast<double>((i + 1) * n) / static_cast<double>(of)));
            };
            Values out;
            const Pair to = images ? size : Pair{1, size.width};
            for_each_index({in.size(0), in.size(1), to.height, to.width}, [&](std::span<const int64_t> i) {
              Seen seen;
              for (int64_t r = first(i[2], in.size(2), to.height); r < last(i[2], in.size(2), to.height); ++r)
                for (int64_t c = first(i[3], in.size(3), to.width); c < last(i[3], in.size(3), to.width); ++c)
                  seen.elements.push_back(at(in, {i[0], i[1], r, c}));
              out.push_back(maximum ? largest_seen(seen) : total(seen) / static_cast<double>(seen.elements.size()));
            });
            return out;
          },
          [=] {
            run(zeros(images ? Shape{1, 1, 2, 2} : Shape{1, 1, 2}), 0);
          }};
}

}  // namespace

std::vector<Row> pool_rows() {
  const auto lp = [](Args x) {
    return over_windows(x[0], {{3, 2}, {3, 2}, 0, 1, false}, [](const Seen& seen) {
      double sum = 0;
      for (const double v : seen.elements) sum += v * v * v;
      return std::cbrt(sum);
    });
  };
  return {
      max_row(2, {}, {{{{2, 3, 4, 4}}}, {{{1, 1, 5, 7}}}, {{{3, 20, 8, 8}}}}),
      max_row({3, 2}, {.stride = 2, .padding = {{2, 0}, {1, 1}}, .dilation = {1, 3}, .ceil_mode = true}, {{{{1, 2, 5, 6}}}, {{{2, 17, 9, 8}}}}),
      max_row(3, {.stride = 2, .padding = 1, .dilation = 2}, {{{{2, 3, 9}}}, {{{1, 1, 20}}}}),
      index_row({3, 2}, {.stride = 2, .padding = {{2, 0}, {1, 1}}, .dilation = {1, 3}, .ceil_mode = true}, {{{{2, 2, 5, 6}}}}),
      index_row(200, {.stride = 10, .padding = 100, .dilation = 10}, {{{{1, 2, 2500}}}}),
      index_row(17, {.stride = 9, .padding = 8}, {{{{1, 2, 33, 40}}}}),
      avg_row(2, {}, {{{{2, 3, 4, 4}}}, {{{1, 1, 5, 7}}}}),
      avg_row({3, 2}, {.stride = 2, .padding = {{2, 0}, {1, 1}}, .ceil_mode = true}, {{{{2, 2, 4, 5}}}, {{{2, 17, 9, 8}}}}),
      avg_row({3, 2}, {.stride = 2, .padding = {{2, 0}, {1, 1}}, .ceil_mode = true, .count_include_pad = false}, {{{{2, 2, 4, 5}}}}),
      avg_row(3, {.padding = 1, .ceil_mode = true, .divisor_override = 4}, {{{{2, 3, 9}}}, {{{1, 1, 20}}}}),
      avg_row(3, {.stride = 2, .padding = 1, .divisor_override = 2}, {{{{1, 2, 5, 4}}}}),
      {"lp_pool2d",
       {{{{2, 2, 6, 5}, 0.2, 2}}},
       [](Args x) {
         return lp_pool2d(x[0], 3, {3, 2});
       },
       lp,
       [] {
         lp_pool2d(zeros({1, 1, 4, 4}), 0, 2);
       }},
      {"lp_pool1d",
       {{{{2, 3, 7}, 0.2, 2}}},
       [](Args x) { return lp_pool1d(x[0], 3, 2); },
       lp,
       [] {
         lp_pool1d(zeros({4, 4}), 2, 2);
       }},
      {"max_unpool2d",
       {{{{2, 2, 2, 2}}}},
       [](Args x) {
         return max_unpool2d(x[0], reshape(tensor({{0, 3, 8, 11}, {1, 2, 3, 4}, {5, 6, 10, 9}, {11, 0, 7, 8}}), {2, 2, 2, 2}), {3, 4});
       },
       [](Args x) {
         const int places[4][4] = {{0, 3, 8, 11}, {1, 2, 3, 4}, {5, 6, 10, 9}, {11, 0, 7, 8}};
         Values out(48, 0.0);
         for (size_t i = 0; i < 16; ++i) out[i / 4 * 12 + static_cast<size_t>(places[i / 4][i % 4])] = x[0].to_vector<double>()[i];
         return out;
       },
       [] {
         max_unpool2d(zeros({1, 1, 2, 2}), zeros({1, 1, 2, 2}), 4);
       }},
      adaptive_row(false, {1, 1}, {{{{2, 3, 4, 3}}}, {{{2, 70, 7, 7}}}}),
      adaptive_row(false, {3, 4}, {{{{1, 2, 5, 6}}}, {{{2, 3, 2, 9}}}}),
      adaptive_row(false, {1, 4}, {{{{2, 2, 7}}}}),
      adaptive_row(true, {1, 2}, {{{{2, 3, 4, 4}}}}),
      adaptive_row(true, {3, 4}, {{{{1, 2, 5, 6}}}, {{{2, 3, 2, 9}}}}),
      adaptive_row(true, {1, 4}, {{{{2, 2, 7}}}}),
  };
}

}  // namespace scry::test
