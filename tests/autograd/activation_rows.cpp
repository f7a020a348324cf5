#include <algorithm>
#include <cmath>

#include "autograd/op_table.hpp"

namespace scry::test {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double log_1_plus_exp(double x) { return std::log1p(std::exp(x)); }

std::vector<double> prelu_reference(Args x) {
  std::vector<double> out;
  for_each_index(x[0].shape(), [&](std::span<const int64_t> index) {
    const int64_t channel = index.empty() || x[1].numel() == 1 ? 0 : index[index.size() > 1 ? 1 : 0];
    const double value = at(x[0], index);
    out.push_back(value > 0 ? value : value * x[1].to_vector<double>()[static_cast<size_t>(channel)]);
  });
  return out;
}

std::vector<double> glu_reference(Args x) {
  std::vector<double> out;
  Shape shape = x[0].shape();
  const int64_t half = shape[shape.rank() - 1] /= 2;
  for_each_index(shape, [&](std::span<const int64_t> index) {
    std::vector<int64_t> gate(index.begin(), index.end());
    gate.back() += half;
    out.push_back(at(x[0], index) * logistic(at(x[0], gate)));
  });
  return out;
}

}  // namespace

std::vector<Row> activation_rows() {
  return {
      unary(
          "leaky_relu", -2, 2, [](const Tensor& x) { return leaky_relu(x, 0.2); }, [](double x) { return x > 0 ? x : 0.2 * x; }),
      unary(
          "elu", -2, 2, [](const Tensor& x) { return elu(x, 1.5); }, [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); }),
      unary("selu", -2, 2, selu, [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }),
      unary(
          "celu", -2, 2, [](const Tensor& x) { return celu(x, 0.7); }, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x / 0.7); }),
      unary(
          "gelu", -4, 4, [](const Tensor& x) { return gelu(x); }, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }),
      unary(
          "gelu_tanh", -4, 4, [](const Tensor& x) { return gelu(x, Gelu::tanh); },
          [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }),
      unary("silu", -5, 5, silu, [](double x) { return x * logistic(x); }),
      unary("mish", -5, 5, mish, [](double x) { return x * std::tanh(log_1_plus_exp(x)); }),
      unary(
          "softplus", -5, 5, [](const Tensor& x) { return softplus(x); }, log_1_plus_exp),
      unary(
          "softplus", -5, 5, [](const Tensor& x) { return softplus(x, 2, 4); }, [](double x) { return 2 * x > 4 ? x : log_1_plus_exp(2 * x) / 2; }),
      unary("softsign", -3, 3, softsign, [](double x) { return x / (1 + std::abs(x)); }),
      unary("tanhshrink", -3, 3, tanhshrink, [](double x) { return x - std::tanh(x); }),
      unary("logsigmoid", -5, 5, logsigmoid, [](double x) { return std::log(logistic(x)); }),
      unary(
          "hardtanh", -2, 2, [](const Tensor& x) { return hardtanh(x, -0.7, 1.2); }, [](double x) { return std::clamp(x, -0.7, 1.2); }),
      unary(
          "relu6", -3, 9, [](const Tensor& x) { return relu6(x); }, [](double x) { return std::clamp(x, 0.0, 6.0); }),
      unary("hardsigmoid", -5, 5, hardsigmoid, [](double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }),
      unary("hardswish", -5, 5, hardswish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }),
      unary(
          "hardshrink", -2, 2, [](const Tensor& x) { return hardshrink(x, 0.6); }, [](double x) { return std::abs(x) <= 0.6 ? 0 : x; }),
      unary(
          "softshrink", -2, 2, [](const Tensor& x) { return softshrink(x, 0.6); },
          [](double x) { return std::abs(x) <= 0.6 ? 0 : x - std::copysign(0.6, x); }),
      unary(
          "threshold", -2, 2, [](const Tensor& x) { return threshold(x, 0.3, -7); }, [](double x) { return x > 0.3 ? x : -7; }),
      {"prelu",
       {{{{3, 4, 2}}, {{4}}}, {{{5}}, {{1}}}, {{{5}}, {{5}}}, {{{}}, {{1}}}, {{{2, 3}}, {{3}}}, {{{0, 3}}, {{3}}}, {{{2, 70, 3}}, {{70}}}},
       [](Args x) { return prelu(x[0], x[1]); },
       prelu_reference,
       [] {
         prelu(zeros({2, 3}), zeros({2}));
       }},
      {"glu",
       {{{{3, 4}}}, {{{6}}}, {{{2, 1, 2}}}, {{{0, 2}}}, {{{5, 140}}}},
       [](Args x) { return glu(x[0]); },
       glu_reference,
       [] {
         glu(zeros({2, 3}));
       }},
  };
}

}  // namespace scry::test
