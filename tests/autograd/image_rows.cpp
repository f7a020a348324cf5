#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::testing {
namespace {

struct Convolution {
  int64_t stride, padding, dilation, groups;
};

std::vector<double> convolve(Args x, const Convolution& c) {
  const Tensor &in = x[0], &w = x[1];
  const int64_t kh = w.size(2), kw = w.size(3), per_group = w.size(1), outs = w.size(0) / c.groups;
  const auto length = [&](int64_t n, int64_t k) { return (n + 2 * c.padding - c.dilation * (k - 1) - 1) / c.stride + 1; };
  std::vector<double> out;
  for_each_index({in.size(0), w.size(0), length(in.size(2), kh), length(in.size(3), kw)}, [&](std::span<const int64_t> i) {
    double sum = x.size() > 2 ? at(x[2], {i[1]}) : 0;
    for (int64_t channel = 0; channel < per_group; ++channel)
      for (int64_t a = 0; a < kh; ++a)
        for (int64_t b = 0; b < kw; ++b) {
          const int64_t row = i[2] * c.stride - c.padding + a * c.dilation, column = i[3] * c.stride - c.padding + b * c.dilation;
          if (row >= 0 && row < in.size(2) && column >= 0 && column < in.size(3))
            sum += at(in, {i[0], i[1] / outs * per_group + channel, row, column}) * at(w, {i[1], channel, a, b});
        }
    out.push_back(sum);
  });
  return out;
}

Row conv_row(const Convolution& c, std::vector<std::vector<Input>> cases) {
  return {"conv2d", std::move(cases),
          [c](Args x) {
            return conv2d(x[0], x[1], x.size() > 2 ? x[2] : Tensor{},
                          {.stride = c.stride, .padding = c.padding, .dilation = c.dilation, .groups = c.groups});
          },
          [c](Args x) { return convolve(x, c); },
          [] {
            conv2d(zeros({1, 2, 4, 4}), zeros({1, 3, 3, 3}));
          }};
}

std::vector<double> pool(const Tensor& x, bool largest) {
  std::vector<double> out;
  for_each_index({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, [&](std::span<const int64_t> i) {
    double best = -INFINITY, sum = 0;
    for (int64_t a = 0; a < 2; ++a)
      for (int64_t b = 0; b < 2; ++b) {
        const double value = at(x, {i[0], i[1], 2 * i[2] + a, 2 * i[3] + b});
        best = std::max(best, value);
        sum += value;
      }
    out.push_back(largest ? best : sum / 4);
  });
  return out;
}

// Batch normalisation in training, of [N, C, H, W].
std::vector<double> normalise(Args x) {
  const Tensor& in = x[0];
  std::vector<double> out;
  for_each_index(in.shape(), [&](std::span<const int64_t> index) {
    double sum = 0, squares = 0, count = 0;
    for_each_index(in.shape(), [&](std::span<const int64_t> other) {
      if (other[1] == index[1]) sum += at(in, other), ++count;
    });
    for_each_index(in.shape(), [&](std::span<const int64_t> other) {
      if (other[1] == index[1]) squares += std::pow(at(in, other) - sum / count, 2);
    });
    out.push_back((at(in, index) - sum / count) / std::sqrt(squares / count + 1e-5) * at(x[1], {index[1]}) + at(x[2], {index[1]}));
  });
  return out;
}

}  // namespace

std::vector<Row> image_rows() {
  return {
      conv_row({1, 0, 1, 1},
               {{{{2, 2, 4, 4}}, {{3, 2, 3, 3}}, {{3}}}, {{{1, 1, 5, 3}}, {{2, 1, 1, 2}}}, {{{4, 16, 9, 9}}, {{20, 16, 5, 5}}, {{20}}}}),
      conv_row({2, 1, 1, 1}, {{{{1, 2, 5, 4}}, {{2, 2, 3, 3}}, {{2}}}, {{{3, 16, 8, 8}}, {{32, 16, 3, 3}}}}),
      conv_row({1, 2, 2, 2}, {{{{1, 4, 4, 4}}, {{2, 2, 3, 2}}, {{2}}}}),
      conv_row({1, 1, 1, 3}, {{{{2, 3, 4, 3}}, {{3, 1, 3, 3}}, {{3}}}}),
      {"max_pool2d",
       {{{{2, 3, 4, 4}}}, {{{1, 1, 5, 7}}}, {{{3, 20, 8, 8}}}},
       [](Args x) { return max_pool2d(x[0], 2); },
       [](Args x) { return pool(x[0], true); },
       [] {
         max_pool2d(zeros({2, 2}), 2);
       }},
      {"avg_pool2d",
       {{{{2, 3, 4, 4}}}, {{{1, 1, 5, 7}}}},
       [](Args x) { return avg_pool2d(x[0], 2); },
       [](Args x) { return pool(x[0], false); },
       [] {
         avg_pool2d(zeros({1, 1, 4, 4}), 2, {.padding = 2});
       }},
      {"batch_norm",
       {{{{2, 3, 2, 2}}, {{3}, 0.5, 1.5}, {{3}}}, {{{5, 2, 3, 1}}, {{2}, 0.5, 1.5}, {{2}}}},
       [](Args x) { return batch_norm(x[0], {}, x[1], x[2]); },
       normalise,
       [] {
         batch_norm(zeros({1, 2, 1, 1}), {}, {}, {});
       },
       2e-5},
  };
}

}  // namespace scry::testing
