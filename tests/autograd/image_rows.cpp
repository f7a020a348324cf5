#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

// A sequence as an image of height 1.
Tensor image(const Tensor& x) { return x.rank() == 3 ? unsqueeze(x, 2) : x; }

struct Axis {
  int64_t stride, before, after, dilation;
};
// How an image's axis is looked at; of a sequence only the second.
Axis axis_of(const Tensor& x, int axis, Pair stride, const Padding& padding, Pair dilation) {
  if (axis == 1) return {stride.width, padding.before.width, padding.after.width, dilation.width};
  if (x.rank() == 3) return {1, 0, 0, 1};
  return {stride.height, padding.before.height, padding.after.height, dilation.height};
}

std::vector<double> convolve(Args x, const Conv2dOptions& o) {
  const Tensor in = image(x[0]), w = image(x[1]);
  const Axis v = axis_of(x[0], 0, o.stride, o.padding, o.dilation), h = axis_of(x[0], 1, o.stride, o.padding, o.dilation);
  const int64_t kh = w.size(2), kw = w.size(3), per_group = w.size(1), outs = w.size(0) / o.groups;
  const auto length = [](int64_t n, int64_t k, const Axis& a) { return (n + a.before + a.after - a.dilation * (k - 1) - 1) / a.stride + 1; };
  std::vector<double> out;
  for_each_index({in.size(0), w.size(0), length(in.size(2), kh, v), length(in.size(3), kw, h)}, [&](std::span<const int64_t> i) {
    double sum = x.size() > 2 ? at(x[2], {i[1]}) : 0;
    for_each_index({per_group, kh, kw}, [&](std::span<const int64_t> k) {
      const int64_t row = i[2] * v.stride - v.before + k[1] * v.dilation, column = i[3] * h.stride - h.before + k[2] * h.dilation;
      if (row >= 0 && row < in.size(2) && column >= 0 && column < in.size(3))
        sum += at(in, {i[0], i[1] / outs * per_group + k[0], row, column}) * at(w, {i[1], k[0], k[1], k[2]});
    });
    out.push_back(sum);
  });
  return out;
}

Row conv_row(const Conv2dOptions& o, std::vector<std::vector<Input>> cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  return {images ? "conv2d" : "conv1d", std::move(cases),
          [o, images](Args x) { return (images ? conv2d : conv1d)(x[0], x[1], x.size() > 2 ? x[2] : Tensor{}, o); },
          [o](Args x) { return convolve(x, o); },
          [images] {
            images ? conv2d(zeros({1, 2, 4, 4}), zeros({1, 3, 3, 3})) : conv1d(zeros({1, 2, 4}), zeros({1, 2, 3}), zeros({2}));
          }};
}

// Every element of the input adds its kernel to the result.
std::vector<double> transposed(Args x, const ConvTranspose2dOptions& o) {
  const Tensor in = image(x[0]), w = image(x[1]);
  const Axis v = axis_of(x[0], 0, o.stride, o.padding, o.dilation), h = axis_of(x[0], 1, o.stride, o.padding, o.dilation);
  const int64_t per_group = w.size(1), ins = w.size(0) / o.groups;
  const auto length = [](int64_t n, int64_t k, const Axis& a, int64_t more) {
    return (n - 1) * a.stride - a.before - a.after + a.dilation * (k - 1) + 1 + more;
  };
  const Shape shape{in.size(0), per_group * o.groups, length(in.size(2), w.size(2), v, x[0].rank() == 3 ? 0 : o.output_padding.height),
                    length(in.size(3), w.size(3), h, o.output_padding.width)};
  const Tensor sums = zeros(shape, f64);
  for_each_index(in.shape(), [&](std::span<const int64_t> i) {
    for_each_index({per_group, w.size(2), w.size(3)}, [&](std::span<const int64_t> k) {
      const int64_t row = i[2] * v.stride - v.before + k[1] * v.dilation, column = i[3] * h.stride - h.before + k[2] * h.dilation;
      if (row < 0 || row >= shape[2] || column < 0 || column >= shape[3]) return;
      const int64_t channel = i[1] / ins * per_group + k[0];
      static_cast<double*>(sums.raw())[((i[0] * shape[1] + channel) * shape[2] + row) * shape[3] + column] +=
          at(in, i) * at(w, {i[1], k[0], k[1], k[2]});
    });
  });
  std::vector<double> out = sums.to_vector<double>();
  const int64_t plane = shape[2] * shape[3];
  for (size_t i = 0; x.size() > 2 && i < out.size(); ++i) out[i] += at(x[2], {static_cast<int64_t>(i) / plane % shape[1]});
  return out;
}

Row transposed_row(const ConvTranspose2dOptions& o, std::vector<std::vector<Input>> cases) {
  const bool images = cases[0][0].shape.rank() == 4;
  return {images ? "conv_transpose2d" : "conv_transpose1d", std::move(cases),
          [o, images](Args x) { return (images ? conv_transpose2d : conv_transpose1d)(x[0], x[1], x.size() > 2 ? x[2] : Tensor{}, o); },
          [o](Args x) { return transposed(x, o); },
          [images] {
            images ? conv_transpose2d(zeros({1, 2, 4, 4}), zeros({2, 3, 3, 3}), {}, {.output_padding = 1})
                   : conv_transpose1d(zeros({1, 2, 1}), zeros({2, 2, 3}), {}, {.padding = 2});
          }};
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
      conv_row({}, {{{{2, 2, 4, 4}}, {{3, 2, 3, 3}}, {{3}}}, {{{1, 1, 5, 3}}, {{2, 1, 1, 2}}}, {{{4, 16, 9, 9}}, {{20, 16, 5, 5}}, {{20}}}}),
      conv_row({.stride = 2, .padding = 1}, {{{{1, 2, 5, 4}}, {{2, 2, 3, 3}}, {{2}}}, {{{3, 16, 8, 8}}, {{32, 16, 3, 3}}}}),
      conv_row({.padding = 2, .dilation = 2, .groups = 2}, {{{{1, 4, 4, 4}}, {{2, 2, 3, 2}}, {{2}}}}),
      conv_row({.padding = 1, .groups = 3}, {{{{2, 3, 4, 3}}, {{3, 1, 3, 3}}, {{3}}}}),
      conv_row({.stride = {2, 1}, .padding = {{0, 2}, {1, 0}}, .dilation = {1, 2}},
               {{{{1, 2, 4, 5}}, {{2, 2, 2, 3}}}, {{{4, 16, 7, 9}}, {{16, 16, 3, 3}}, {{16}}}}),
      conv_row({.stride = 2, .padding = {9, 1}, .dilation = 2, .groups = 2}, {{{{2, 2, 7}}, {{4, 1, 2}}, {{4}}}, {{{3, 32, 20}}, {{32, 16, 3}}}}),
      transposed_row({}, {{{{2, 2, 3, 3}}, {{2, 3, 2, 3}}, {{3}}}, {{{2, 16, 7, 6}}, {{16, 16, 5, 3}}}}),
      transposed_row({.stride = 2, .padding = 1, .output_padding = 1},
                     {{{{1, 2, 3, 2}}, {{2, 2, 3, 3}}, {{2}}}, {{{3, 20, 5, 5}}, {{20, 10, 4, 4}}}}),
      transposed_row({.stride = {3, 1}, .padding = {{1, 0}, {2, 1}}, .output_padding = {2, 1}, .groups = 2, .dilation = {1, 2}},
                     {{{{1, 4, 3, 3}}, {{4, 1, 4, 2}}, {{2}}}}),
      // Output padding beyond the stride: places that no window of the convolution reaches.
      transposed_row({.output_padding = 2, .dilation = 3}, {{{{1, 1, 2, 3}}, {{1, 2, 2, 2}}, {{2}}}}),
      transposed_row({.stride = 3, .padding = {9, 1}, .groups = 2}, {{{{2, 2, 4}}, {{2, 2, 2}}, {{4}}}, {{{2, 4, 9}}, {{4, 8, 5}}}}),
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

}  // namespace scry::test
