#include <algorithm>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

Shape same(const Shape& shape) { return shape; }

int64_t folded(int64_t i, int64_t n, PadMode mode) {
  if (mode == PadMode::circular) return (i + n) % n;
  if (mode == PadMode::replicate) return std::clamp<int64_t>(i, 0, n - 1);
  if (i < 0) i = -i;
  return i >= n ? 2 * n - 2 - i : i;
}

Row pad_row(PadMode mode) {
  return {"pad",
          {{{{2, 3, 4}}}, {{{1, 5, 4}}}},
          [mode](Args x) {
            return pad(x[0], {2, 1, -1, 2}, {.mode = mode});
          },
          placed(
              [](const Shape& s) {
                return Shape{s[0], s[1] + 1, s[2] + 3};
              },
              [mode](Position i, const Shape& s) {
                return Position{i[0], folded(i[1] + 1, s[1], mode), folded(i[2] - 2, s[2], mode)};
              }),
          [mode] {
            pad(zeros({3}), {4, 4, 1, 1}, {.mode = mode});
          }};
}

}  // namespace

std::vector<Row> rearrange_rows() {
  const std::vector<std::vector<Input>> cube = {{{{3, 4, 5}}}, {{{1, 6, 1}}}, {{{2, 0, 3}}}, {{{20, 3, 70}}}};
  return {
      {"cat",
       {{{{2, 3, 2}}, {{2, 1, 2}}, {{2, 0, 2}}}, {{{3, 40, 33}}, {{3, 2, 33}}, {{3, 7, 33}}}},
       [](Args x) { return cat(x, 1); },
       [](Args x) {
         std::vector<double> out;
         for (int64_t i = 0; i < x[0].size(0); ++i)
           for (const Tensor& t : x) {
             const std::vector<double> slice = t[i].to_vector<double>();
             out.insert(out.end(), slice.begin(), slice.end());
           }
         return out;
       },
       [] {
         cat({zeros({2, 3}), zeros({3, 3})}, 1);
       }},
      {"stack",
       {{{{2, 3}}, {{2, 3}}, {{2, 3}}}, {{{}}, {{}}}},
       [](Args x) { return stack(x, -1); },
       [](Args x) {
         std::vector<double> out;
         for_each_index(x[0].shape(), [&](std::span<const int64_t> i) {
           for (const Tensor& t : x) out.push_back(at(t, i));
         });
         return out;
       },
       [] {
         stack({zeros({2}), zeros({3})});
       }},
      {"repeat", cube,
       [](Args x) {
         return repeat(x[0], {2, 3, 1, 2});
       },
       placed(
           [](const Shape& s) {
             return Shape{2, 3 * s[0], s[1], 2 * s[2]};
           },
           [](Position i, const Shape& s) {
             return Position{i[1] % s[0], i[2], i[3] % s[2]};
           }),
       [] {
         repeat(zeros({2, 2}), {2});
       }},
      {"tile",
       {{{{2, 3}}}},
       [](Args x) { return tile(x[0], {2}); },
       placed(
           [](const Shape& s) {
             return Shape{s[0], 2 * s[1]};
           },
           [](Position i, const Shape& s) {
             return Position{i[0], i[1] % s[1]};
           }),
       [] { tile(Tensor{}, {2}); }},
      {"repeat_interleave", cube, [](Args x) { return repeat_interleave(x[0], 3, 1); },
       placed(
           [](const Shape& s) {
             return Shape{s[0], 3 * s[1], s[2]};
           },
           [](Position i, const Shape&) {
             return Position{i[0], i[1] / 3, i[2]};
           }),
       [] { repeat_interleave(zeros({2}), -1, 0); }},
      {"flip", cube,
       [](Args x) {
         return flip(x[0], {0, -1});
       },
       placed(same,
              [](Position i, const Shape& s) {
                return Position{s[0] - 1 - i[0], i[1], s[2] - 1 - i[2]};
              }),
       [] {
         flip(zeros({2, 2}), {1, 1});
       }},
      {"roll", cube,
       [](Args x) {
         return roll(x[0], {1, -9}, {0, 2});
       },
       placed(same,
              [](Position i, const Shape& s) {
                return Position{(i[0] - 1 + s[0]) % s[0], i[1], (i[2] + 9) % s[2]};
              }),
       [] {
         roll(zeros({2, 2}), {1, 1}, {0});
       }},
      {"roll", any_shape(-2, 2), [](Args x) { return roll(x[0], 2); },
       [](Args x) {
         std::vector<double> out = x[0].to_vector<double>();
         if (!out.empty()) std::rotate(out.rbegin(), out.rbegin() + 2 % static_cast<int64_t>(out.size()), out.rend());
         return out;
       },
       [] { roll(Tensor{}, 1); }},
      {"pad", cube,
       [](Args x) {
         return pad(x[0], {2, 1, 0, 0, -1, 2}, {.value = 0.5});
       },
       placed(
           [](const Shape& s) {
             return Shape{s[0] + 1, s[1], s[2] + 3};
           },
           [](Position i, const Shape& s) {
             const Position from{i[0] + 1, i[1], i[2] - 2};
             return from[0] < s[0] && from[2] >= 0 && from[2] < s[2] ? from : Position{};
           },
           0.5),
       [] {
         pad(zeros({3}), {-2, -2});
       }},
      pad_row(PadMode::reflect),
      pad_row(PadMode::replicate),
      pad_row(PadMode::circular),
      {"diagonal",
       {{{{3, 2, 5}}}, {{{4, 1, 3}}}},
       [](Args x) { return diagonal(x[0], 1, 0, -1); },
       placed(
           [](const Shape& s) {
             return Shape{s[1], std::min(s[0], s[2] - 1)};
           },
           [](Position i, const Shape&) {
             return Position{i[1], i[0], i[1] + 1};
           }),
       [] {
         diagonal(zeros({2, 2}), 0, 1, -1);
       }},
      {"diagonal",
       {{{{3, 5}}}},
       [](Args x) { return diagonal(x[0], -1); },
       placed([](const Shape&) { return Shape{2}; },
              [](Position i, const Shape&) {
                return Position{i[0] + 1, i[0]};
              }),
       [] { diagonal(zeros({2})); }},
      {"movedim",
       {{{{2, 3, 4}}}},
       [](Args x) { return movedim(x[0], 0, -1); },
       placed(
           [](const Shape& s) {
             return Shape{s[1], s[2], s[0]};
           },
           [](Position i, const Shape&) {
             return Position{i[2], i[0], i[1]};
           }),
       [] { movedim(zeros({2}), 0, 1); }},
      {"view",
       {{{{2, 3, 4}}}},
       [](Args x) {
         return view(contiguous(x[0]), {6, -1});
       },
       [](Args x) { return x[0].to_vector<double>(); },
       [] {
         view(transpose(zeros({2, 3}), 0, 1), {6});
       }},
      {"at",
       {{{{4, 3, 2, 5}}}},
       [](Args x) {
         return x[0].at({Slice{-1, to_end, -2}, newaxis, ellipsis, 1, Slice{1, 4}});
       },
       placed(
           [](const Shape& s) {
             return Shape{2, 1, s[1], 3};
           },
           [](Position i, const Shape&) {
             return Position{3 - 2 * i[0], i[2], 1, i[3] + 1};
           }),
       [] {
         zeros({2, 3}).at({0, 3});
       }},
      {"narrow",  // parts that overlap, are used twice, and leave gaps
       {{{{5, 3}}}},
       [](Args x) {
         return narrow(x[0], 0, 0, 2) * narrow(x[0], 0, 1, 2) + x[0][4] * x[0].at({Slice{0, 2}});
       },
       [](Args x) {
         std::vector<double> out;
         for (int64_t i = 0; i < 2; ++i)
           for (int64_t j = 0; j < 3; ++j) out.push_back(at(x[0], {i, j}) * at(x[0], {i + 1, j}) + at(x[0], {4, j}) * at(x[0], {i, j}));
         return out;
       },
       [] { narrow(zeros({2}), 0, 1, 2); }},
      {"split",
       {{{{2, 7}}}},
       [](Args x) {
         const auto parts = split(x[0], 3, 1);
         const auto halves = chunk(x[0], 2, -1);
         return cat({parts[2], parts[0] * parts[1], halves[0] * halves[0], split(x[0], {1, 6}, 1)[1]}, 1);
       },
       [](Args x) {
         std::vector<double> out;
         for (int64_t i = 0; i < 2; ++i) {
           const auto e = [&](int64_t j) { return at(x[0], {i, j}); };
           out.insert(out.end(), {e(6), e(0) * e(3), e(1) * e(4), e(2) * e(5), e(0) * e(0), e(1) * e(1), e(2) * e(2), e(3) * e(3)});
           for (int64_t j = 1; j < 7; ++j) out.push_back(e(j));
         }
         return out;
       },
       [] {
         split(zeros({4}), {1, 2});
       }},
      {"unbind",
       {{{{2, 3, 2}}}},
       [](Args x) {
         const auto steps = unbind(x[0], 1);
         return steps[0] * steps[1] + steps[2];
       },
       [](Args x) {
         std::vector<double> out;
         for (int64_t i = 0; i < 2; ++i)
           for (int64_t j = 0; j < 2; ++j) out.push_back(at(x[0], {i, 0, j}) * at(x[0], {i, 1, j}) + at(x[0], {i, 2, j}));
         return out;
       },
       [] { unbind(zeros({})); }},
      {"unfold",
       {{{{2, 2, 4, 5}}}, {{{3, 5, 40, 41}}}},
       [](Args x) {
         return unfold(x[0], {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
       },
       [](Args x) {
         std::vector<double> out;
         const int64_t rows = (x[0].size(2) + 2 - 2) / 2 + 1, columns = x[0].size(3) - 4;
         for_each_index({x[0].size(0), x[0].size(1), 2, 3, rows, columns}, [&](std::span<const int64_t> i) {
           const int64_t row = 2 * i[4] + i[2] - 1;
           out.push_back(row < 0 || row >= x[0].size(2) ? 0 : at(x[0], {i[0], i[1], row, i[5] + 2 * i[3]}));
         });
         return out;
       },
       [] {
         unfold(zeros({1, 1, 2, 2}), {.kernel = 3});
       }},
      {"fold",
       {{{{6, 4}}}},
       [](Args x) {
         return fold(x[0], {3, 4}, {.kernel = {2, 3}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 1}});
       },
       [](Args x) {
         std::vector<double> out(12, 0.0);
         for_each_index({2, 3, 2, 2}, [&](std::span<const int64_t> i) {
           const int64_t row = 2 * i[2] + i[0] - 1;
           if (row >= 0 && row < 3) out[static_cast<size_t>(row * 4 + i[3] + i[1])] += at(x[0], {i[0] * 3 + i[1], i[2] * 2 + i[3]});
         });
         return out;
       },
       [] {
         fold(zeros({1, 4, 5}), 3, {.kernel = 2});
       }},
  };
}

}  // namespace scry::test
