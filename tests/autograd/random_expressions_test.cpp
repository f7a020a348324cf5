// Random expressions of ops: the tape's gradient equals the numerical one, and doesn't depend on how the inputs lie in memory.

#include <scry/autograd/autograd.hpp>
#include <scry/core/core.hpp>
#include <sstream>

#include "autograd/random_steps.hpp"
#include "support.hpp"

namespace scry {
namespace {

using namespace scry::test;

// A program: each step applies an op to tensors made before.
class Expression {
 public:
  explicit Expression(uint64_t seed, bool only_views = false) : draw_(seed) {
    const int64_t count = 1 + draw_.below(3);
    for (int64_t i = 0; i < count; ++i) {
      Shape shape;
      for (int64_t axes = draw_.below(4); axes > 0; --axes) shape.push_back(1 + draw_.below(3));
      shapes_.push_back(shape);
    }
    const int64_t steps = 1 + draw_.below(8);
    for (int64_t i = 0; i < steps; ++i) {
      const uint64_t kind = static_cast<uint64_t>(draw_.below(static_cast<int64_t>(only_views ? step_views : step_kinds)));
      choices_.push_back((draw_.next() >> 8) * step_kinds + kind);
    }
  }

  std::vector<Tensor> inputs(DType dtype = f64) {
    std::vector<Tensor> out;
    for (const Shape& shape : shapes_) out.push_back(uniform(shape, -1.5, 1.5, dtype, draw_).requires_grad_());
    return out;
  }

  Tensor operator()(std::span<const Tensor> inputs) const { return run(inputs, false); }
  /// The same with a copy of the result of every step.
  Tensor copying(std::span<const Tensor> inputs) const { return run(inputs, true); }

  std::string describe() const {
    std::ostringstream out;
    for (const Shape& shape : shapes_) out << text(shape) << ' ';
    for (const uint64_t choice : choices_) out << choice % step_kinds << '/' << choice % 1000003 << ' ';
    return out.str();
  }

 private:
  Tensor run(std::span<const Tensor> inputs, bool copies) const {
    std::vector<Tensor> made(inputs.begin(), inputs.end());
    for (const uint64_t choice : choices_) {
      const Tensor y = random_step(made, choice);
      made.push_back(copies ? clone(contiguous(y)) : y);
    }
    // Every tensor takes part in the result, so all of the graph is used.
    Tensor total;
    for (const Tensor& t : made) total = total.defined() ? total + sum(tanh(t)) * 0.5 : sum(t);
    return total + sum(made.back());
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

TEST(RandomExpressions, GradientsThroughViewsEqualThoseThroughCopies) {
  for (uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    Expression expression(seed, seed % 2 == 0);
    SCOPED_TRACE(text("seed ", seed, ": ") + expression.describe());
    const std::vector<Tensor> inputs = expression.inputs();
    const std::vector<Tensor> through_views = grad(expression(inputs), inputs), through_copies = grad(expression.copying(inputs), inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<double> a = through_views[i].to_vector<double>(), b = through_copies[i].to_vector<double>();
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
