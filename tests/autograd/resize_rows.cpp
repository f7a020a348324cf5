#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

double keys(double d) {
  d = std::abs(d);
  return d < 1 ? 1.25 * d * d * d - 2.25 * d * d + 1 : d < 2 ? -0.75 * (d * d * d - 5 * d * d + 8 * d - 4) : 0;
}

// The share of element k of an axis of n in what stands at `place` of its (whole numbers are the elements' centers).
double share(Interpolation mode, double place, int64_t k, int64_t n) {
  const auto last = static_cast<double>(n - 1), own = static_cast<double>(k);
  if (mode == Interpolation::linear) return std::max(0.0, 1 - std::abs(std::clamp(place, 0.0, last) - own));
  if (mode != Interpolation::cubic) return std::min(std::floor(place), last) == own;
  double sum = 0;  // what lies beyond the ends is the element there
  for (double at = std::floor(place) - 1; at <= std::floor(place) + 2; ++at)
    if (std::clamp(at, 0.0, last) == own) sum += keys(at - place);
  return sum;
}

// `scale`: steps of the input that one of the result is.
double place_of(int64_t i, Interpolation mode, bool align, double scale) {
  const auto at = static_cast<double>(i);
  if (mode == Interpolation::nearest) return std::floor(at * scale + 1e-12);
  if (mode == Interpolation::nearest_exact) return std::floor((at + 0.5) * scale + 1e-12);
  return align ? at * scale : (at + 0.5) * scale - 0.5;
}

Row row(const InterpolateOptions& o, std::vector<std::vector<Input>> cases) {
  return {"interpolate", std::move(cases), [o](Args x) { return interpolate(x[0], o); },
          [o](Args x) {
            const Tensor in = x[0].rank() == 3 ? unsqueeze(x[0], 2) : x[0];
            const auto axis = [&](int i, int64_t given, double factor) {
              const int64_t n = in.size(i), size = x[0].rank() == 3 && i == 2 ? 1
                                                   : o.size                   ? given
                                                                              : static_cast<int64_t>(static_cast<double>(n) * factor);
              double scale = o.size || size == 1 ? static_cast<double>(n) / static_cast<double>(size) : 1 / factor;
              if (o.align_corners) scale = size > 1 ? static_cast<double>(n - 1) / static_cast<double>(size - 1) : 0;
              return std::pair(size, scale);
            };
            const auto [height, down] = axis(2, o.size ? o.size->height : 0, o.scale_factor ? o.scale_factor->height : 0);
            const auto [width, across] = axis(3, o.size ? o.size->width : 0, o.scale_factor ? o.scale_factor->width : 0);
            Values out;
            for_each_index({in.size(0), in.size(1), height, width}, [&, down = down, across = across](std::span<const int64_t> i) {
              const double y = place_of(i[2], o.mode, o.align_corners, down), z = place_of(i[3], o.mode, o.align_corners, across);
              double sum = 0;
              for (int64_t r = 0; r < in.size(2); ++r)
                for (int64_t c = 0; c < in.size(3); ++c)
                  sum += share(o.mode, y, r, in.size(2)) * share(o.mode, z, c, in.size(3)) * at(in, {i[0], i[1], r, c});
              out.push_back(sum);
            });
            return out;
          },
          [o] {
            InterpolateOptions bad = o;
            if (o.size)
              bad.scale_factor = 2;
            else
              bad.scale_factor = 0.1;
            interpolate(zeros({1, 1, 4, 4}), bad);
          }};
}

Shape shuffled(const Shape& s, int64_t r) { return {s[0], s[1] / (r * r), s[2] * r, s[3] * r}; }

}  // namespace

std::vector<Row> resize_rows() {
  using enum Interpolation;
  return {
      row({.size = Pair{5, 7}}, {{{{2, 3, 4, 3}}}, {{{1, 70, 2, 9}}}}),
      row({.scale_factor = 2}, {{{{2, 3, 4, 3}}}, {{{2, 2, 5}}}}),
      row({.scale_factor = PairOf<double>{1.7, 0.6}}, {{{{2, 3, 4, 5}}}}),
      row({.size = Pair{5, 2}, .mode = nearest_exact}, {{{{2, 3, 4, 3}}}}),
      row({.size = Pair{5, 7}, .mode = linear}, {{{{2, 2, 4, 3}}}, {{{1, 70, 2, 9}}}, {{{2, 2, 5}}}}),
      row({.size = Pair{5, 1}, .mode = linear, .align_corners = true}, {{{{2, 2, 4, 3}}}, {{{2, 2, 5}}}}),
      row({.size = Pair{5, 7}, .mode = linear, .align_corners = true}, {{{{2, 2, 1, 3}}}, {{{2, 2, 5}}}}),
      row({.scale_factor = PairOf<double>{1.7, 0.6}, .mode = linear}, {{{{2, 2, 4, 5}}}}),
      row({.size = Pair{6, 4}, .mode = cubic}, {{{{2, 2, 4, 5}}}}),
      row({.scale_factor = 2.5, .mode = cubic, .align_corners = true}, {{{{2, 2, 2, 3}}}, {{{1, 2, 4}}}}),
      {"interpolate",
       {{{{2, 2, 4, 5}}}, {{{2, 2, 5}}}},
       [](Args x) {
         return interpolate(x[0], {.size = Pair{2, 3}, .mode = area});
       },
       [](Args x) {
         return (x[0].rank() == 3 ? adaptive_avg_pool1d(x[0], 3) : adaptive_avg_pool2d(x[0], {2, 3})).to_vector<double>();
       },
       [] {
         interpolate(zeros({1, 1, 4}), {.size = 2, .mode = area, .align_corners = true});
       }},
      {"local_response_norm",
       {{{{2, 5, 3}}}, {{{1, 6, 2, 2}}}, {{{1, 2, 3, 4}}}},
       [](Args x) { return local_response_norm(x[0], 4, {.alpha = 0.8, .beta = 0.6, .k = 1.5}); },
       [](Args x) {
         Values out;
         for_each_index(x[0].shape(), [&](std::span<const int64_t> i) {
           std::vector<int64_t> place(i.begin(), i.end());
           double sum = 0;
           for (place[1] = std::max<int64_t>(0, i[1] - 2); place[1] <= std::min(x[0].size(1) - 1, i[1] + 1); ++place[1])
             sum += std::pow(at(x[0], place), 2);
           out.push_back(at(x[0], i) / std::pow(1.5 + 0.2 * sum, 0.6));
         });
         return out;
       },
       [] {
         local_response_norm(zeros({1, 2, 3}), 0);
       }},
      {"pixel_shuffle",
       {{{{2, 8, 2, 3}}}},
       [](Args x) { return pixel_shuffle(x[0], 2); },
       placed([](const Shape& s) { return shuffled(s, 2); },
              [](Position i, const Shape&) {
                return Position{i[0], i[1] * 4 + i[2] % 2 * 2 + i[3] % 2, i[2] / 2, i[3] / 2};
              }),
       [] {
         pixel_shuffle(zeros({1, 6, 2, 2}), 2);
       }},
      {"pixel_unshuffle",
       {{{{2, 2, 4, 6}}}},
       [](Args x) { return pixel_unshuffle(x[0], 2); },
       placed(
           [](const Shape& s) {
             return Shape{s[0], s[1] * 4, s[2] / 2, s[3] / 2};
           },
           [](Position i, const Shape&) {
             return Position{i[0], i[1] / 4, i[2] * 2 + i[1] / 2 % 2, i[3] * 2 + i[1] % 2};
           }),
       [] {
         pixel_unshuffle(zeros({1, 6, 3, 2}), 2);
       }},
  };
}

}  // namespace scry::test
