#pragma once

#include <scry/autograd/ops/activation.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/softmax.hpp>
#include <scry/nn/module.hpp>

// The activations of torch.nn as modules, with its defaults; see the functions of the same names for what they compute.
namespace scry::nn {

/// An activation without options.
template <class Self, Tensor (*function)(const Tensor&)>
struct PlainActivation : Module<Self> {
  Tensor forward(const Tensor& x) const { return function(x); }
};

struct ReLU : Module<ReLU> {
  Tensor forward(Tensor x) const { return relu(std::move(x)); }
};
struct ReLU6 : Module<ReLU6> {
  Tensor forward(Tensor x) const { return relu6(std::move(x)); }
};
struct SELU : PlainActivation<SELU, selu> {};
struct SiLU : PlainActivation<SiLU, silu> {};
struct Mish : PlainActivation<Mish, mish> {};
struct Tanh : PlainActivation<Tanh, tanh> {};
struct Sigmoid : PlainActivation<Sigmoid, sigmoid> {};
struct LogSigmoid : PlainActivation<LogSigmoid, logsigmoid> {};
struct Softsign : PlainActivation<Softsign, softsign> {};
struct Tanhshrink : PlainActivation<Tanhshrink, tanhshrink> {};
struct Hardsigmoid : PlainActivation<Hardsigmoid, hardsigmoid> {};
struct Hardswish : PlainActivation<Hardswish, hardswish> {};

/// An activation with one number.
template <class Self, Tensor (*function)(const Tensor&, double)>
struct NumberActivation : Module<Self> {
  explicit NumberActivation(double number) : value(number) {}
  Tensor forward(const Tensor& x) const { return function(x, value); }
  double value;
};

struct LeakyReLU : NumberActivation<LeakyReLU, leaky_relu> {
  explicit LeakyReLU(double negative_slope = 0.01) : NumberActivation(negative_slope) {}
};
struct ELU : NumberActivation<ELU, elu> {
  explicit ELU(double alpha = 1) : NumberActivation(alpha) {}
};
struct CELU : NumberActivation<CELU, celu> {
  explicit CELU(double alpha = 1) : NumberActivation(alpha) {}
};
struct Hardshrink : NumberActivation<Hardshrink, hardshrink> {
  explicit Hardshrink(double lambda = 0.5) : NumberActivation(lambda) {}
};
struct Softshrink : NumberActivation<Softshrink, softshrink> {
  explicit Softshrink(double lambda = 0.5) : NumberActivation(lambda) {}
};

struct GELU : Module<GELU> {
  explicit GELU(Gelu approximation = Gelu::erf) : form(approximation) {}
  Tensor forward(const Tensor& x) const { return gelu(x, form); }
  Gelu form;
};

struct Softplus : Module<Softplus> {
  explicit Softplus(double rate = 1, double linear_above = 20) : beta(rate), threshold(linear_above) {}
  Tensor forward(const Tensor& x) const { return softplus(x, beta, threshold); }
  double beta, threshold;
};

struct Hardtanh : Module<Hardtanh> {
  explicit Hardtanh(double min_value = -1, double max_value = 1) : low(min_value), high(max_value) {}
  Tensor forward(Tensor x) const { return hardtanh(std::move(x), low, high); }
  double low, high;
};

struct Threshold : Module<Threshold> {
  Threshold(double above, double otherwise) : limit(above), value(otherwise) {}
  Tensor forward(const Tensor& x) const { return threshold(x, limit, value); }
  double limit, value;
};

/// Parameter: weight, one slope or one for each channel, 0.25 at first.
struct PReLU : Module<PReLU> {
  explicit PReLU(int64_t channels = 1, double init = 0.25, DType dtype = f32);
  Tensor forward(const Tensor& x) const { return prelu(x, weight); }
  Tensor weight;
};

struct RReLU : Module<RReLU> {
  explicit RReLU(double least = 1.0 / 8, double greatest = 1.0 / 3);
  Tensor forward(const Tensor& x) const { return rrelu(x, lower, upper, training()); }
  double lower, upper;
};

/// An activation over one axis.
template <class Self, Tensor (*function)(const Tensor&, int)>
struct AxisActivation : Module<Self> {
  explicit AxisActivation(int dim) : axis(dim) {}
  Tensor forward(const Tensor& x) const { return function(x, axis); }
  int axis;
};

struct Softmax : AxisActivation<Softmax, softmax> {
  using AxisActivation::AxisActivation;
};
struct LogSoftmax : AxisActivation<LogSoftmax, log_softmax> {
  using AxisActivation::AxisActivation;
};
struct Softmin : AxisActivation<Softmin, softmin> {
  using AxisActivation::AxisActivation;
};
struct GLU : AxisActivation<GLU, glu> {
  explicit GLU(int dim = -1) : AxisActivation(dim) {}
};

/// Softmax over the channels of [N, C, H, W] or [C, H, W].
struct Softmax2d : Module<Softmax2d> {
  Tensor forward(const Tensor& x) const;
};

}  // namespace scry::nn
