#include <cmath>
#include <map>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

// The sum over all letters that `output` doesn't have of the product of the operands; letters only, sizes equal or 1.
Values einsum_reference(Args x, const std::vector<std::string>& inputs, const std::string& output) {
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < inputs.size(); ++i)
    for (size_t axis = 0; axis < inputs[i].size(); ++axis)
      sizes[inputs[i][axis]] = std::max(sizes[inputs[i][axis]], x[i].shape()[static_cast<int>(axis)]);
  std::string letters = output;
  for (const auto& [letter, size] : sizes)
    if (letters.find(letter) == std::string::npos) letters += letter;
  Shape shape, kept;
  for (char letter : letters) shape.push_back(sizes[letter]);
  for (char letter : output) kept.push_back(sizes[letter]);
  Values out(static_cast<size_t>(element_count(kept)));
  for_each_index(shape, [&](std::span<const int64_t> index) {
    double product = 1;
    for (size_t i = 0; i < inputs.size(); ++i) {
      std::vector<int64_t> place;
      for (char letter : inputs[i]) place.push_back(index[letters.find(letter)]);
      product *= at(x[i], place);
    }
    int64_t to = 0;
    for (int axis = 0; axis < kept.rank(); ++axis) to = to * kept[axis] + index[static_cast<size_t>(axis)];
    out[static_cast<size_t>(to)] += product;
  });
  return out;
}

// A row for einsum: the subscripts as they are called, and written out.
Row einsum_row(const std::string& text, std::vector<std::vector<Input>> cases, const std::vector<std::string>& inputs, const std::string& output,
               Kept<void()> error) {
  return {"einsum", std::move(cases), [=](Args x) { return einsum(text, x); }, [=](Args x) { return einsum_reference(x, inputs, output); },
          std::move(error)};
}

std::vector<Row> einsum_rows() {
  std::vector<Row> rows = {
      einsum_row("ij,jk->ik", {{{{3, 4}}, {{4, 2}}}, {{{3, 0}}, {{0, 2}}}, {{{3, 1}}, {{4, 2}}}}, {"ij", "jk"}, "ik",
                 [] {
                   einsum("ij,jk->ik", {zeros({2, 3}), zeros({2, 3})});
                 }),
      einsum_row("ij->ji", {{{{3, 4}}}}, {"ij"}, "ji",
                 [] {
                   einsum("ij->jx", {zeros({2, 3})});
                 }),
      einsum_row("ii->i", {{{{4, 4}}}}, {"ii"}, "i",
                 [] {
                   einsum("ii->i", {zeros({2, 3})});
                 }),
      einsum_row("iij,jk", {{{{3, 3, 2}}, {{2, 2}}}}, {"iij", "jk"}, "k",
                 [] {
                   einsum("i1", {zeros({2, 3})});
                 }),
      einsum_row("iii->", {{{{3, 3, 3}}}}, {"iii"}, "",
                 [] {
                   einsum("ij->ii", {zeros({2, 3})});
                 }),
      einsum_row(" ba , cb ", {{{{3, 2}}, {{4, 3}}}}, {"ba", "cb"}, "ac", [] { einsum("ab", {zeros({2})}); }),
      einsum_row("i,i->i", {{{{5}}, {{5}}}, {{{1}}, {{5}}}}, {"i", "i"}, "i", [] { einsum("i,i", {zeros({2})}); }),
      einsum_row("i,j->ij", {{{{5}}, {{3}}}}, {"i", "j"}, "ij",
                 [] {
                   einsum("i,j", {zeros({2}), Tensor{}});
                 }),
      einsum_row("bij,bjk->bik", {{{{2, 3, 4}}, {{2, 4, 2}}}, {{{2, 3, 4}}, {{1, 4, 2}}}}, {"bij", "bjk"}, "bik",
                 [] {
                   einsum("ij->i->j", {zeros({2, 3})});
                 }),
      einsum_row("...ij,...jk->...ik", {{{{2, 3, 4}}, {{4, 2}}}}, {"bij", "jk"}, "bik",
                 [] {
                   einsum("......", {zeros({2, 3})});
                 }),
      einsum_row("...ij,...jk", {{{{2, 1, 3, 2}}, {{4, 2, 2}}}}, {"abij", "bjk"}, "abik", [] { einsum("", std::span<const Tensor>()); }),
      einsum_row("i...->...", {{{{3, 4, 2}}}}, {"iab"}, "ab",
                 [] {
                   einsum("...->i", {zeros({2, 3})});
                 }),
      einsum_row("bn,anm,bm->ba", {{{{2, 3}}, {{4, 3, 2}}, {{2, 2}}}}, {"bn", "anm", "bm"}, "ba", [] { einsum("i", {zeros({2}, i64)}); }),
      einsum_row("ab,bc,cd,de->ae", {{{{2, 3}}, {{3, 2}}, {{2, 4}}, {{4, 2}}}}, {"ab", "bc", "cd", "de"}, "ae", [] { einsum(".i", {zeros({2})}); }),
  };
  return rows;
}

// The mean and variance of every group, [N, C, …], and with them the normalised values; rms leaves the mean out.
Values normalised(const Tensor& x, int64_t length, bool centered, double eps) {
  const Values in = x.to_vector<double>();
  Values out(in.size());
  for (size_t begin = 0; begin < in.size(); begin += static_cast<size_t>(length)) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < length && centered; ++j) mean += in[begin + static_cast<size_t>(j)] / static_cast<double>(length);
    for (int64_t j = 0; j < length; ++j) variance += std::pow(in[begin + static_cast<size_t>(j)] - mean, 2) / static_cast<double>(length);
    for (int64_t j = 0; j < length; ++j)
      out[begin + static_cast<size_t>(j)] = (in[begin + static_cast<size_t>(j)] - mean) / std::sqrt(variance + eps);
  }
  return out;
}

// Times weight plus bias, where given; each of their elements belongs to `span` neighbours, again and again.
Values scaled(Values y, Args x, int64_t span) {
  for (size_t i = 0; i < y.size() && x.size() > 1; ++i) {
    const auto c = static_cast<size_t>(static_cast<int64_t>(i) / span % x[1].numel());
    y[i] = y[i] * x[1].to_vector<double>()[c] + (x.size() > 2 ? x[2].to_vector<double>()[c] : 0);
  }
  return y;
}

std::vector<Row> norm_rows() {
  static constexpr double eps = 1e-5;
  return {
      {"layer_norm",
       {{{{4, 7}}, {{7}}, {{7}}}, {{{2, 3, 70}}, {{70}}, {{70}}}, {{{6, 5}, 100, 101}, {{5}}, {{5}}}, {{{0, 5}}, {{5}}, {{5}}}},
       [](Args x) { return layer_norm(x[0], {x[0].size(-1)}, x[1], x[2]); },
       [](Args x) { return scaled(normalised(x[0], x[0].size(-1), true, eps), x, 1); },
       [] {
         layer_norm(zeros({2, 3}), {2});
       },
       1e-5},
      {"layer_norm",
       {{{{2, 3, 4}}}, {{{5, 3, 4}}}},
       [](Args x) {
         return layer_norm(x[0], {3, 4});
       },
       [](Args x) { return normalised(x[0], 12, true, eps); },
       [] {
         layer_norm(zeros({2, 3}), {3}, zeros({2}));
       },
       1e-5},
      {"rms_norm",
       {{{{4, 7}}, {{7}}}, {{{2, 3, 70}}, {{70}}}},
       [](Args x) { return rms_norm(x[0], {x[0].size(-1)}, x[1], eps); },
       [](Args x) { return scaled(normalised(x[0], x[0].size(-1), false, eps), x, 1); },
       [] { rms_norm(zeros({2}, i64), {2}); },
       1e-5},
      {"group_norm",
       {{{{2, 4, 3}}, {{4}}, {{4}}},
        {{{3, 4, 2, 2}}, {{4}}, {{4}}},
        {{{3, 6, 9, 5}}, {{6}}, {{6}}},
        {{{2, 34, 31, 19}}, {{34}}, {{34}}},
        {{{5, 4}}, {{4}}, {{4}}}},
       [](Args x) { return group_norm(x[0], 2, x[1], x[2]); },
       [](Args x) {
         const int64_t span = x[0].numel() / x[0].size(0) / x[0].size(1);
         return scaled(normalised(x[0], x[0].size(1) / 2 * span, true, eps), x, span);
       },
       [] {
         group_norm(zeros({2, 3}), 2);
       },
       1e-5},
      {"instance_norm",
       {{{{2, 3, 5}}, {{3}}, {{3}}}, {{{2, 3, 5, 7}}, {{3}}, {{3}}}},
       [](Args x) { return instance_norm(x[0], x[1], x[2]); },
       [](Args x) {
         const int64_t span = x[0].numel() / x[0].size(0) / x[0].size(1);
         return scaled(normalised(x[0], span, true, eps), x, span);
       },
       [] {
         instance_norm(zeros({2, 3}));
       },
       1e-5},
  };
}

// Zeros where j - i is greater (tril) or less (triu) than the diagonal.
Values triangle_reference(const Tensor& x, int64_t diagonal, bool lower) {
  Values out;
  for_each_index(x.shape(), [&](std::span<const int64_t> index) {
    const int64_t above = index[index.size() - 1] - index[index.size() - 2];
    out.push_back((lower ? above <= diagonal : above >= diagonal) ? at(x, index) : 0);
  });
  return out;
}

}  // namespace

std::vector<Row> linalg_rows() {
  const std::vector<std::vector<Input>> matrices = {{{{3, 4}}}, {{{2, 4, 3}}}, {{{0, 3}}}, {{{2, 17, 33}}}};
  const auto with_factors = [](const Tensor& c, Values product, double beta, double alpha) {
    const Values add = c.to_vector<double>();
    for (size_t i = 0; i < product.size(); ++i) product[i] = beta * add[i % add.size()] + alpha * product[i];
    return product;
  };
  std::vector<Row> rows = {
      {"addmm",
       {{{{2}}, {{3, 4}}, {{4, 2}}}, {{{3, 2}}, {{3, 4}}, {{4, 2}}}},
       [](Args x) { return addmm(x[0], x[1], x[2], 0.5, 2); },
       [=](Args x) {
         return with_factors(x[0], einsum_reference(x.subspan(1), {"ij", "jk"}, "ik"), 0.5, 2);
       },
       [] {
         addmm(zeros({3}), zeros({2, 3}), zeros({3, 2}));
       }},
      {"baddbmm",
       {{{{2}}, {{2, 3, 4}}, {{2, 4, 2}}}},
       [](Args x) { return baddbmm(x[0], x[1], x[2]); },
       [=](Args x) {
         return with_factors(x[0], einsum_reference(x.subspan(1), {"bij", "bjk"}, "bik"), 1, 1);
       },
       [] {
         baddbmm(zeros({3}), zeros({2, 3}), zeros({3, 2}));
       }},
      {"bmm",
       {{{{2, 3, 4}}, {{2, 4, 2}}}},
       [](Args x) { return bmm(x[0], x[1]); },
       [](Args x) {
         return einsum_reference(x, {"bij", "bjk"}, "bik");
       },
       [] {
         bmm(zeros({2, 2, 3}), zeros({1, 3, 2}));
       }},
      {"outer",
       {{{{5}}, {{3}}}},
       [](Args x) { return outer(x[0], x[1]); },
       [](Args x) {
         return einsum_reference(x, {"i", "j"}, "ij");
       },
       [] {
         outer(zeros({2, 2}), zeros({2}));
       }},
      {"dot",
       {{{{5}}, {{5}}}, {{{0}}, {{0}}}},
       [](Args x) { return dot(x[0], x[1]); },
       [](Args x) {
         return einsum_reference(x, {"i", "i"}, "");
       },
       [] { dot(zeros({2}), zeros({3})); }},
      {"tril", matrices, [](Args x) { return tril(x[0], 1); }, [](Args x) { return triangle_reference(x[0], 1, true); }, [] { tril(zeros({2})); }},
      {"triu", matrices, [](Args x) { return triu(x[0], -1); }, [](Args x) { return triangle_reference(x[0], -1, false); }, [] { triu(zeros({2})); }},
  };
  for (const auto& family : {einsum_rows(), norm_rows()}) rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

}  // namespace scry::test
