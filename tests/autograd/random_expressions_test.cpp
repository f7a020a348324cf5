// Random expressions of ops: the tape's gradient equals the numerical one, and doesn't depend on how the inputs lie in memory.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <sstream>

#include "support.hpp"

namespace scry {
namespace {

using namespace scry::testing;

// A program: each step applies an op to tensors made before. Everything stays between about -2 and 2, away from kinks and poles.
class Expression {
 public:
  explicit Expression(uint64_t seed) : draw_(seed) {
    const int64_t count = 1 + draw_.below(3);
    for (int64_t i = 0; i < count; ++i) {
      Shape shape;
      for (int64_t axes = draw_.below(4); axes > 0; --axes) shape.push_back(1 + draw_.below(3));
      shapes_.push_back(shape);
    }
    const int64_t steps = 1 + draw_.below(8);
    for (int64_t i = 0; i < steps; ++i) choices_.push_back(draw_.next());
  }

  std::vector<Tensor> inputs(DType dtype = f64) {
    std::vector<Tensor> out;
    for (const Shape& shape : shapes_) out.push_back(uniform(shape, -1.5, 1.5, dtype, draw_).requires_grad_());
    return out;
  }

  Tensor operator()(std::span<const Tensor> inputs) const {
    std::vector<Tensor> made(inputs.begin(), inputs.end());
    for (const uint64_t choice : choices_) made.push_back(step(made, choice));
    // Every tensor takes part in the result, so all of the graph is used.
    Tensor total;
    for (const Tensor& t : made) total = total.defined() ? total + sum(tanh(t)) * 0.5 : sum(t);
    return total + sum(made.back());
  }

  std::string describe() const {
    std::ostringstream out;
    for (const Shape& shape : shapes_) out << text(shape) << ' ';
    for (const uint64_t choice : choices_) out << choice % kinds << '/' << choice % 1000003 << ' ';
    return out.str();
  }

 private:
  static constexpr uint64_t kinds = 20;

  static Tensor step(const std::vector<Tensor>& made, uint64_t choice) {
    Generator draw(choice);
    const auto any = [&]() -> const Tensor& { return made[static_cast<size_t>(draw.below(static_cast<int64_t>(made.size())))]; };
    const Tensor& a = draw.below(2) ? made.back() : any();
    const auto axis = [&] { return a.rank() ? static_cast<int>(draw.below(a.rank())) : 0; };
    const auto with = [&](auto op) -> Tensor {  // another that broadcasts, or itself
      const Tensor& b = any();
      const bool fits = message_of([&] { broadcast_shapes("", a.shape(), b.shape()); }) == "nothing was thrown";
      return op(a, fits ? b : a);
    };
    switch (choice % kinds) {
      case 0: return with([](const Tensor& x, const Tensor& y) { return (x + y) * 0.5; });
      case 1: return with([](const Tensor& x, const Tensor& y) { return (x - y) * 0.7; });
      case 2: return with([](const Tensor& x, const Tensor& y) { return tanh(x * y); });
      case 3: return with([](const Tensor& x, const Tensor& y) { return x / (y * y + 1.5); });
      case 4: return tanh(a);
      case 5: return sigmoid(a) - 0.5;
      case 6: return log(a * a + 1);
      case 7: return sqrt(a * a + 1) - 1.2;
      case 8: return exp(-a * a);
      case 9: return 1 / (2 + a * a);
      case 10: return a.rank() ? mean(a, axis(), draw.below(2) == 1) : 1 - a;
      case 11: return a.rank() ? transpose(a, axis(), axis()) : neg(a);
      case 12: return a.rank() ? softmax(a, axis()) : a * 0.9;
      case 13: return a.rank() ? log_softmax(a, axis()) * 0.5 : a + 0.1;
      case 14: return reshape(a, {-1});
      case 15: return a.rank() ? slice(a, axis(), -1, to_end, -1) : clone(a);
      case 16: return a.rank() ? slice(a, axis(), 0, 1) : unsqueeze(a, 0);
      case 17: return a.rank() < 4 ? contiguous(unsqueeze(a, static_cast<int>(draw.below(a.rank() + 1)))) : flatten(a);
      case 18: return a.rank() >= 2 ? tanh(matmul(a, transpose(a, -1, -2))) : tanh(a) * a;
      default: {
        Shape wide = a.shape();
        if (wide.rank() < 4) wide.insert(0, 2);
        return sigmoid(expand(a, wide));
      }
    }
  }

  Generator draw_;
  std::vector<Shape> shapes_;
  std::vector<uint64_t> choices_;
};

constexpr uint64_t first_seed = 20'240'601, count = 300;

TEST(RandomExpressions, GradientsMatchCentralDifferences) {
  for (uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    Expression expression(seed);
    SCOPED_TRACE(text("seed ", seed, ": ") + expression.describe());
    const std::vector<Tensor> inputs = expression.inputs();
    ASSERT_NO_THROW(gradcheck(expression, inputs, {.step = 1e-5, .relative = 1e-6, .absolute = 1e-7}));
  }
}

TEST(RandomExpressions, SecondDerivativesMatchCentralDifferences) {
  for (uint64_t seed = first_seed; seed < first_seed + count / 3; ++seed) {
    Expression expression(seed);
    SCOPED_TRACE(text("seed ", seed, ": ") + expression.describe());
    const std::vector<Tensor> inputs = expression.inputs();
    ASSERT_NO_THROW(gradgradcheck(expression, inputs, {.step = 1e-5, .relative = 1e-5, .absolute = 1e-6}));
  }
}

TEST(RandomExpressions, AViewsGradientEqualsItsCopys) {
  for (uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    Expression expression(seed);
    SCOPED_TRACE(text("seed ", seed, ": ") + expression.describe());
    const std::vector<Tensor> inputs = expression.inputs();
    std::vector<Tensor> views;
    for (const Tensor& x : inputs) {
      Shape wide = x.shape();
      for (int i = 0; i < x.rank(); ++i) wide[i] = 2 * wide[i] + 1;
      Tensor view = zeros(wide, f64);
      for (int i = 0; i < x.rank(); ++i) view = slice(view, i, -2, to_end, -2);
      each_index(x.shape(), [&](std::span<const int64_t> i) { element<double>(view, i) = element<double>(x, i); });
      views.push_back(view.requires_grad_());
    }
    expression(inputs).backward();
    expression(views).backward();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<double> a = inputs[i].grad().to_vector<double>(), b = views[i].grad().to_vector<double>();
      for (size_t j = 0; j < a.size(); ++j) ASSERT_NEAR(a[j], b[j], 1e-12 * (1 + std::abs(a[j]))) << "input " << i << ", element " << j;
    }
  }
}

TEST(RandomExpressions, BackwardDoesNotDependOnTheThreads) {
  for (uint64_t seed = first_seed; seed < first_seed + 50; ++seed) {
    expect_independent_of_threads([&] {
      Expression expression(seed);
      const std::vector<Tensor> inputs = expression.inputs(f32);
      expression(inputs).backward();
      return inputs.front().grad();
    });
  }
}

}  // namespace
}  // namespace scry
