// Differentiable functions that programs define.

#include <scry/autograd/backward.hpp>
#include <scry/autograd/function.hpp>
#include <scry/autograd/gradcheck.hpp>
#include <scry/autograd/ops/arithmetic.hpp>
#include <scry/autograd/ops/inplace.hpp>
#include <scry/autograd/ops/math.hpp>
#include <scry/autograd/ops/reduce.hpp>
#include <scry/core/creation.hpp>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

Tensor input(std::vector<double> values) {
  const auto size = static_cast<int64_t>(values.size());
  return Tensor::of(values, {size}).requires_grad_();
}

struct Cube {
  static constexpr const char* name = "cube";
  double factor = 1;
  Tensor forward(FunctionContext& context, const Tensor& x) const {
    EXPECT_FALSE(grad_enabled());
    context.save({x});
    return x * x * x * factor;
  }
  Tensor backward(FunctionContext& context, const Tensor& g) const {
    const Tensor x = context.saved(0);
    return g * x * x * (3 * factor);
  }
};

// exp with its output saved, of the weighted sum of two.
struct ExpOfSum {
  static constexpr const char* name = "exp_of_sum";
  Tensor forward(FunctionContext& context, const Tensor& a, const Tensor& b) const {
    const Tensor y = exp(a + b * 2);
    context.save({y});
    return y;
  }
  std::vector<Tensor> backward(FunctionContext& context, const Tensor& g) const {
    const Tensor part = g * context.saved(0);
    return {context.wanted(0) ? part : Tensor{}, context.wanted(1) ? part * 2 : Tensor{}};
  }
};

// x y and x + y, of several shapes.
struct ProductAndSum {
  static constexpr const char* name = "product_and_sum";
  std::vector<Tensor> forward(FunctionContext& context, const Tensor& x, const Tensor& y) const {
    const Tensor product = x * y;
    context.save({x, y, product});
    return {product, sum(x + y)};
  }
  std::vector<Tensor> backward(FunctionContext& context, std::span<const Tensor> g) const {
    const Tensor x = context.saved(0), y = context.saved(1);
    // The product's own value takes part, where it cancels itself out.
    const Tensor nothing = context.saved(2) - x * y;
    return {g[0] * y + g[1] + nothing, g[0] * x + g[1] + nothing};
  }
};

TEST(Function, HasFirstAndSecondDerivatives) {
  const std::vector<Tensor> x{input({0.5, -1, 2}), input({0.1, 0.2, 0.3})};
  EXPECT_EQ(apply(Cube{2}, x[0]).to_vector<double>(), (std::vector<double>{0.25, -2, 16}));
  const TensorFunction functions[] = {[](std::span<const Tensor> in) { return apply(Cube{2}, in[0]); },
                                      [](std::span<const Tensor> in) { return apply(ExpOfSum{}, in[0], in[1]); },
                                      [](std::span<const Tensor> in) {
                                        const std::vector<Tensor> out = apply(ProductAndSum{}, in[0], in[1]);
                                        return out[0] * out[0] + out[1];
                                      }};
  for (const TensorFunction& function : functions) {
    EXPECT_EQ(message_of([&] { gradcheck(function, x); }), "nothing was thrown");
    EXPECT_EQ(message_of([&] { gradgradcheck(function, x, {.relative = 1e-5, .absolute = 1e-6}); }), "nothing was thrown");
  }
}

TEST(Function, UnusedOutputsHaveZeroGradients) {
  const Tensor x = input({2, 3}), y = input({5, 7});
  sum(apply(ProductAndSum{}, x, y)[0]).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{5, 7}));
  EXPECT_EQ(y.grad().to_vector<double>(), (std::vector<double>{2, 3}));
}

TEST(Function, OnlyWhatIsAskedForIsWanted) {
  const Tensor a = input({0}), b = full({1}, 0, f64);
  EXPECT_EQ(grad(apply(ExpOfSum{}, a, b), a).item(), 1);
  EXPECT_FALSE(apply(ExpOfSum{}, a.detach(), b).requires_grad());
}

TEST(Function, SavedTensorsThatChangeAreNoticed) {
  const Tensor x = input({2}), h = x * 1;
  const Tensor y = apply(Cube{}, h);
  h.detach().mutable_data<double>()[0] = 7;
  EXPECT_FAILS(y.backward(), "in place");
  const Tensor z = apply(ExpOfSum{}, x, x);
  z.detach().mutable_data<double>()[0] = 7;
  EXPECT_FAILS(z.backward(), "exp_of_sum", "in place");
}

struct Bad {
  static constexpr const char* name = "bad";
  std::vector<Tensor> gradients;
  std::vector<Tensor> forward(FunctionContext&, const Tensor& x) const { return x.numel() == 1 ? std::vector<Tensor>{} : std::vector<Tensor>{x}; }
  std::vector<Tensor> backward(FunctionContext&, std::span<const Tensor>) const { return gradients; }
};

TEST(Function, BadOnesAreErrors) {
  const Tensor x = input({1, 2});
  EXPECT_FAILS(apply(Bad{}, input({1})), "bad", "no tensor");
  EXPECT_FAILS(sum(apply(Bad{}, x)[0]).backward(), "bad", "0 gradients", "1 inputs");
  EXPECT_FAILS(sum(apply(Bad{{ones({3}, f64)}}, x)[0]).backward(), "bad", "[3]", "[2]");
  EXPECT_FALSE(x.grad().defined());
}

TEST(Function, ThatReturnsItsInputMakesANewTensor) {
  const Tensor x = input({1, 2});
  const Tensor y = apply(Bad{{full({2}, 3, f64)}}, x)[0];
  sum(y).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{3, 3}));
}

}  // namespace
}  // namespace scry
