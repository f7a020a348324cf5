#include <algorithm>
#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

using Values = std::vector<double>;

Values mean_of(const Values& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return {sum / static_cast<double>(values.size())};
}

double softplus_of(double x) { return std::log1p(std::exp(x)); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Labels that depend on the shape alone, i64 without the axis of the classes.
Tensor labels_for(const Tensor& x, int64_t ignored = -1) {
  Shape shape = x.shape();
  const int axis = x.rank() > 1 ? 1 : 0;
  const int64_t classes = shape[axis];
  shape.erase(axis);
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < element_count(shape); ++i) labels.push_back(ignored >= 0 && i % 3 == 1 ? ignored : (5 * i + 2) % classes);
  return Tensor::of(labels, shape);
}

// 1 and -1 in turn.
Tensor signs(const Shape& shape, DType dtype) {
  std::vector<double> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 3 == 1 ? -1 : 1;
  return cast(Tensor::of(values, shape), dtype);
}

// One loss for each element of two tensors, and their mean.
Row pairwise(const char* op, std::vector<std::vector<Input>> cases, Kept<Tensor(const Tensor&, const Tensor&, Reduction)> run,
             double (*formula)(double, double)) {
  const auto both = [run](Args x) {
    return cat({reshape(run(x[0], x[1], Reduction::none), {-1}), reshape(run(x[0], x[1], Reduction::mean), {1}),
                reshape(run(x[0], x[1], Reduction::sum), {1})});
  };
  const auto reference = [formula](Args x) {
    Values out;
    for_each_index(x[0].shape(), [&](std::span<const int64_t> i) { out.push_back(formula(at(x[0], i), at(x[1], i))); });
    const double mean = mean_of(out)[0], count = static_cast<double>(out.size());
    out.push_back(mean);
    out.push_back(mean * count);
    return out;
  };
  return {op, std::move(cases), both, reference, [run] { run(zeros({2, 3}), zeros({3}), Reduction::mean); }};
}

std::vector<std::vector<Input>> two(double low, double high, double target_low, double target_high) {
  std::vector<std::vector<Input>> cases;
  for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{2, 3, 70}}) cases.push_back({{shape, low, high}, {shape, target_low, target_high}});
  return cases;
}

std::vector<Row> distance_rows() {
  return {
      pairwise(
          "mse_loss", two(-2, 2, -2, 2), [](const Tensor& x, const Tensor& y, Reduction r) { return mse_loss(x, y, {r}); },
          [](double x, double y) { return (x - y) * (x - y); }),
      pairwise(
          "l1_loss", two(-2, 2, -2, 2), [](const Tensor& x, const Tensor& y, Reduction r) { return l1_loss(x, y, {r}); },
          [](double x, double y) { return std::abs(x - y); }),
      pairwise(
          "smooth_l1_loss", two(-2, 2, -2, 2),
          [](const Tensor& x, const Tensor& y, Reduction r) { return smooth_l1_loss(x, y, {.beta = 0.7, .reduction = r}); },
          [](double x, double y) {
            const double d = std::abs(x - y);
            return d < 0.7 ? d * d / 1.4 : d - 0.35;
          }),
      pairwise(
          "huber_loss", two(-2, 2, -2, 2),
          [](const Tensor& x, const Tensor& y, Reduction r) { return huber_loss(x, y, {.delta = 0.7, .reduction = r}); },
          [](double x, double y) {
            const double d = std::abs(x - y);
            return d <= 0.7 ? d * d / 2 : 0.7 * (d - 0.35);
          }),
  };
}

std::vector<Row> probability_rows() {
  return {
      pairwise(
          "binary_cross_entropy", two(0.05, 0.95, 0.05, 0.95),
          [](const Tensor& x, const Tensor& y, Reduction r) { return binary_cross_entropy(x, y, {.reduction = r}); },
          [](double x, double y) { return -(y * std::log(x) + (1 - y) * std::log(1 - x)); }),
      pairwise(
          "binary_cross_entropy_with_logits", two(-4, 4, 0.05, 0.95),
          [](const Tensor& x, const Tensor& y, Reduction r) {
            return binary_cross_entropy_with_logits(x, y, {.weight = full({1}, 3, x.dtype()), .pos_weight = full({1}, 2, x.dtype()), .reduction = r});
          },
          [](double x, double y) { return 3 * (2 * y * softplus_of(-x) + (1 - y) * softplus_of(x)); }),
      pairwise(
          "sigmoid_focal_loss", two(-3, 3, 0.05, 0.95),
          [](const Tensor& x, const Tensor& y, Reduction r) { return sigmoid_focal_loss(x, y, {.alpha = 0.3, .gamma = 1.5, .reduction = r}); },
          [](double x, double y) {
            const double p = logistic(x), truth = p * y + (1 - p) * (1 - y);
            return (0.3 * y + 0.7 * (1 - y)) * std::pow(1 - truth, 1.5) * (y * softplus_of(-x) + (1 - y) * softplus_of(x));
          }),
      pairwise(
          "kl_div", two(-3, 0, 0.05, 0.95), [](const Tensor& x, const Tensor& y, Reduction r) { return kl_div(x, y, {.reduction = r}); },
          [](double x, double y) { return y * (std::log(y) - x); }),
      pairwise(
          "kl_div", two(-3, 0, -3, 0),
          [](const Tensor& x, const Tensor& y, Reduction r) { return kl_div(x, y, {.log_target = true, .reduction = r}); },
          [](double x, double y) { return std::exp(y) * (y - x); }),
      pairwise(
          "poisson_nll_loss", two(-2, 2, 0.2, 4),
          [](const Tensor& x, const Tensor& y, Reduction r) { return poisson_nll_loss(x, y, {.full = true, .reduction = r}); },
          [](double x, double y) { return std::exp(x) - y * x + (y > 1 ? y * std::log(y) - y + 0.5 * std::log(2 * M_PI * y) : 0); }),
      pairwise(
          "poisson_nll_loss", two(0.2, 3, 0.2, 4),
          [](const Tensor& x, const Tensor& y, Reduction r) { return poisson_nll_loss(x, y, {.log_input = false, .eps = 1e-3, .reduction = r}); },
          [](double x, double y) { return x - y * std::log(x + 1e-3); }),
      {"gaussian_nll_loss",
       {{{{3, 4}}, {{3, 4}}, {{3, 4}, 0.2, 2}}, {{{3, 4}}, {{3, 4}}, {{3}, 0.2, 2}}, {{{3, 4}}, {{3, 4}}, {{3, 1}, 0.2, 2}}},
       [](Args x) { return gaussian_nll_loss(x[0], x[1], x[2], {.full = true, .reduction = Reduction::none}); },
       [](Args x) {
         Values out;
         for_each_index(x[0].shape(), [&](std::span<const int64_t> i) {
           const double d = at(x[0], i) - at(x[1], i), v = x[2].rank() == 1 ? at(x[2], {i[0]}) : at(x[2], i);
           out.push_back(0.5 * (std::log(v) + d * d / v + std::log(2 * M_PI)));
         });
         return out;
       },
       [] {
         gaussian_nll_loss(zeros({2, 3}), zeros({2, 3}), full({2, 3}, -1));
       }},
  };
}

double cosine(const Tensor& a, const Tensor& b, int64_t row) {
  double dot = 0, aa = 0, bb = 0;
  for (int64_t j = 0; j < a.size(1); ++j) {
    dot += at(a, {row, j}) * at(b, {row, j});
    aa += at(a, {row, j}) * at(a, {row, j});
    bb += at(b, {row, j}) * at(b, {row, j});
  }
  return dot / std::sqrt(aa * bb);
}

double distance(const Tensor& a, const Tensor& b, int64_t row) {
  double sum = 0;
  for (int64_t j = 0; j < a.size(1); ++j) sum += std::pow(at(a, {row, j}) - at(b, {row, j}) + 1e-6, 2);
  return std::sqrt(sum);
}

double sign_of(int64_t i) { return i % 3 == 1 ? -1 : 1; }

template <class F>
Kept<Values(Args)> by_row(const F& f) {
  return [f](Args x) {
    Values out;
    for (int64_t i = 0; i < x[0].size(0); ++i) out.push_back(f(x, i));
    return out;
  };
}

std::vector<Row> margin_rows() {
  const std::vector<std::vector<Input>> vectors{{{{7}}}}, rows2{{{{4, 5}}, {{4, 5}}}}, rows3{{{{4, 5}}, {{4, 5}}, {{4, 5}}}};
  const auto sign_like = [](const Tensor& x) { return signs({x.size(0)}, x.dtype()); };
  return {
      {"hinge_embedding_loss", vectors,
       [=](Args x) { return hinge_embedding_loss(x[0], sign_like(x[0]), {.margin = 0.6, .reduction = Reduction::none}); },
       by_row([](Args x, int64_t i) { return sign_of(i) > 0 ? at(x[0], {i}) : std::max(0.0, 0.6 - at(x[0], {i})); }),
       [] { hinge_embedding_loss(zeros({2}), zeros({2})); }},
      {"margin_ranking_loss",
       {{{{7}}, {{7}}}},
       [=](Args x) { return margin_ranking_loss(x[0], x[1], sign_like(x[0]), {.margin = 0.4, .reduction = Reduction::none}); },
       by_row([](Args x, int64_t i) { return std::max(0.0, 0.4 - sign_of(i) * (at(x[0], {i}) - at(x[1], {i}))); }),
       [] { margin_ranking_loss(zeros({2}), zeros({3}), ones({2})); }},
      {"cosine_embedding_loss", rows2,
       [=](Args x) { return cosine_embedding_loss(x[0], x[1], sign_like(x[0]), {.margin = -0.9, .reduction = Reduction::none}); },
       by_row([](Args x, int64_t i) {
         const double c = cosine(x[0], x[1], i);
         return sign_of(i) > 0 ? 1 - c : std::max(0.0, c + 0.9);
       }),
       [] {
         cosine_embedding_loss(zeros({2, 3}), zeros({2, 3}), ones({3}));
       }},
      {"soft_margin_loss", vectors, [=](Args x) { return soft_margin_loss(x[0], sign_like(x[0]), {Reduction::none}); },
       by_row([](Args x, int64_t i) { return softplus_of(-sign_of(i) * at(x[0], {i})); }), [] { soft_margin_loss(zeros({2}), zeros({2})); }},
      {"multilabel_soft_margin_loss",
       {{{{4, 5}}, {{4, 5}, 0, 1}}},
       [](Args x) { return multilabel_soft_margin_loss(x[0], x[1], {.reduction = Reduction::none}); },
       by_row([](Args x, int64_t i) {
         double sum = 0;
         for (int64_t j = 0; j < 5; ++j)
           sum += at(x[1], {i, j}) * softplus_of(-at(x[0], {i, j})) + (1 - at(x[1], {i, j})) * softplus_of(at(x[0], {i, j}));
         return sum / 5;
       }),
       [] {
         multilabel_soft_margin_loss(zeros({2, 2, 2}), zeros({2, 2, 2}));
       }},
      {"multi_margin_loss",
       {{{{4, 5}}}},
       [](Args x) {
         return multi_margin_loss(x[0], labels_for(x[0]),
                                  {.p = 2, .margin = 0.8, .weight = arange(1, 6, 1, x[0].dtype()), .reduction = Reduction::none});
       },
       by_row([](Args x, int64_t i) {
         const int64_t label = (5 * i + 2) % 5;
         double sum = 0;
         for (int64_t j = 0; j < 5; ++j)
           if (j != label) sum += std::pow(std::max(0.0, 0.8 - at(x[0], {i, label}) + at(x[0], {i, j})), 2);
         return sum * static_cast<double>(label + 1) / 5;
       }),
       [] {
         multi_margin_loss(zeros({1, 3}), full({1}, 3, i64));
       }},
      {"triplet_margin_loss", rows3, [](Args x) { return triplet_margin_loss(x[0], x[1], x[2], {.swap = true, .reduction = Reduction::none}); },
       by_row(
           [](Args x, int64_t i) { return std::max(0.0, distance(x[0], x[1], i) - std::min(distance(x[0], x[2], i), distance(x[1], x[2], i)) + 1); }),
       [] { triplet_margin_loss(zeros({2}), zeros({3}), zeros({2})); }},
  };
}

// Cross entropy written out, over the axis of the classes; weights are 1, 2, … where given. `logarithms` says that x are those already.
Kept<Values(Args)> label_reference(bool weights, int64_t ignored, double smoothing, Reduction reduction, bool logarithms = false) {
  return [=](Args x) {
    const Tensor labels = labels_for(x[0], ignored);
    const int axis = x[0].rank() > 1 ? 1 : 0;
    const int64_t classes = x[0].size(axis);
    Values losses;
    double total = 0;
    for_each_index(labels.shape(), [&](std::span<const int64_t> i) {
      Position where(i.begin(), i.end());
      where.insert(where.begin() + axis, 0);
      Values logits;
      double powers = 0;
      for (where[static_cast<size_t>(axis)] = 0; where[static_cast<size_t>(axis)] < classes; ++where[static_cast<size_t>(axis)]) {
        logits.push_back(at(x[0], where));
        powers += std::exp(logits.back());
      }
      const auto label = static_cast<int64_t>(at(labels, i));
      const auto weight = [&](int64_t c) { return weights ? static_cast<double>(c + 1) : 1.0; };
      double loss = 0;
      for (int64_t c = 0; label != ignored && c < classes; ++c) {
        const double log_p = logits[static_cast<size_t>(c)] - (logarithms ? 0 : std::log(powers));
        loss -= weight(c) * ((c == label) * (1 - smoothing) + smoothing / static_cast<double>(classes)) * log_p;
      }
      losses.push_back(loss);
      if (label != ignored) total += weight(label);
    });
    if (reduction == Reduction::none) return losses;
    const double sum = mean_of(losses)[0] * static_cast<double>(losses.size());
    return Values{reduction == Reduction::mean ? sum / total : sum};
  };
}

Row cross_entropy_row(std::vector<std::vector<Input>> cases, bool weights, int64_t ignored, double smoothing, Reduction reduction) {
  return {"cross_entropy", std::move(cases),
          [=](Args x) {
            const Tensor weight = weights ? arange(1, x[0].size(x[0].rank() > 1 ? 1 : 0) + 1, 1, x[0].dtype()) : Tensor{};
            return cross_entropy(x[0], labels_for(x[0], ignored),
                                 {.weight = weight, .ignore_index = ignored, .label_smoothing = smoothing, .reduction = reduction});
          },
          label_reference(weights, ignored, smoothing, reduction),
          [] {
            cross_entropy(zeros({1, 3}), full({1}, 3, i64));
          }};
}

std::vector<Row> label_rows() {
  const std::vector<std::vector<Input>> matrices{{{{3, 5}, -4, 4}}, {{{1, 2}, -4, 4}}, {{{64, 37}, -4, 4}}};
  const std::vector<std::vector<Input>> any{
      {{{5}, -4, 4}}, {{{4, 3}, -4, 4}}, {{{2, 3, 4}, -4, 4}}, {{{2, 4, 3, 2}, -4, 4}}, {{{2, 3, 1, 2, 1, 2, 2}, -2, 2}}};
  return {
      cross_entropy_row(matrices, false, -100, 0, Reduction::mean),
      cross_entropy_row(any, true, -100, 0, Reduction::none),
      cross_entropy_row({any[1], any[2], any[3]}, true, 2, 0.2, Reduction::mean),
      cross_entropy_row({any[1], any[3]}, false, -7, 0.1, Reduction::sum),
      {"cross_entropy",
       {{{{3, 5}, -4, 4}, {{3, 5}, 0.1, 1}}, {{{2, 3, 4}, -4, 4}, {{2, 3, 4}, 0.1, 1}}},
       [](Args x) { return cross_entropy(x[0], x[1], {.weight = arange(1, x[0].size(1) + 1, 1, x[0].dtype()), .label_smoothing = 0.3}); },
       [](Args x) {
         const int64_t classes = x[0].size(1);
         double sum = 0;
         for_each_index(x[0].shape(), [&](std::span<const int64_t> i) {
           Position other(i.begin(), i.end());
           double powers = 0;
           for (other[1] = 0; other[1] < classes; ++other[1]) powers += std::exp(at(x[0], other));
           const double wanted = at(x[1], i) * 0.7 + 0.3 / static_cast<double>(classes);
           sum -= static_cast<double>(i[1] + 1) * wanted * (at(x[0], i) - std::log(powers));
         });
         return Values{sum * static_cast<double>(classes) / static_cast<double>(x[0].numel())};
       },
       [] {
         cross_entropy(zeros({1, 3}), zeros({1, 2}));
       }},
      {"nll_loss", any,
       [](Args x) {
         const Tensor weight = arange(1, x[0].size(x[0].rank() > 1 ? 1 : 0) + 1, 1, x[0].dtype());
         return nll_loss(x[0], labels_for(x[0], 1), {.weight = weight, .ignore_index = 1, .reduction = Reduction::none});
       },
       label_reference(true, 1, 0, Reduction::none, true),
       [] {
         nll_loss(zeros({2, 3}), zeros({2, 3}));
       }},
      {"nll_loss",
       {any[1], any[3]},
       [](Args x) { return nll_loss(x[0], labels_for(x[0]), {.weight = arange(1, x[0].size(1) + 1, 1, x[0].dtype())}); },
       label_reference(true, -1, 0, Reduction::mean, true),
       [] {
         nll_loss(zeros({1, 3}), full({1}, -1, i64));
       }},
  };
}

}  // namespace

std::vector<Row> loss_rows() {
  std::vector<Row> rows;
  for (const auto& family : {distance_rows(), probability_rows(), margin_rows(), label_rows()}) rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

}  // namespace scry::test
