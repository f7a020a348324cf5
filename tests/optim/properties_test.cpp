// Any composition, any options: the same bits after a restart at any step, with evaluations in between.

#include "fixture.hpp"

namespace scry::optim {
namespace {

std::string random_base(Generator& random) {
  const double lr = 0.01 * static_cast<double>(1 + random.below(20));
  if (random.below(2) == 0) return text("adam(lr=", lr, ", beta1=0.", random.below(10), ", weight_decay=0.", random.below(3), ")");
  const int64_t kind = random.below(3);
  return text("sgd(lr=", lr, kind > 0 ? ", momentum=0.9" : "", kind == 2 ? ", nesterov=true" : "", ")");
}

std::string random_expression(Generator& random) {
  std::string expression = random_base(random);
  const char* const policies[] = {"keep", "pull_back", "reset"};
  for (int64_t depth = random.below(4); depth > 0; --depth)
    expression =
        text("lookahead(", expression, ", k=", 1 + random.below(5), ", alpha=0.", random.below(10), ", inner_state=", policies[random.below(3)], ")");
  return expression;
}

// Each parameter has a gradient in most steps, always the same ones.
void step(const TestModel& model, Optimizer& optimizer, uint64_t i) {
  give_gradients(model, i);
  Generator random(5, i << 20);
  for (const NamedTensor& each : model.parameters)
    if (random.below(4) == 0) autograd::leaf_of(each.tensor)->gradient = {};
  optimizer.step();
}

TEST(Property, RestartsChangeNoBit) {
  constexpr uint64_t total = 24;
  Generator random(2026);
  for (int round = 0; round < 150; ++round) {
    const std::string expression = random_expression(random);
    const DType dtype = random.below(2) == 0 ? f32 : f64;
    const std::vector<Shape> shapes{{3}, {17, 2}, {1}, {64}};
    const TestModel whole = random_model(shapes, 1, dtype), parts = random_model(shapes, 1, dtype), last = random_model(shapes, 2, dtype);

    Optimizer uninterrupted = make_optimizer(expression, Registry{whole});
    for (uint64_t i = 0; i < total; ++i) step(whole, uninterrupted, i);

    const auto stop = static_cast<uint64_t>(random.below(static_cast<int64_t>(total) + 1));
    Optimizer first = make_optimizer(expression, Registry{parts});
    for (uint64_t i = 0; i < stop; ++i) {
      step(parts, first, i);
      if (random.below(3) == 0) const auto scope = first.evaluation();
    }
    Optimizer second = make_optimizer(first.expression(), Registry{last});
    restore(second, capture(first));
    for (uint64_t i = stop; i < total; ++i) step(last, second, i);
    EXPECT_EQ(weights_of(last), weights_of(whole)) << expression << " stopped at " << stop;
    const auto a = uninterrupted.evaluation();
    const auto b = second.evaluation();
    EXPECT_EQ(weights_of(last), weights_of(whole)) << expression << " slow weights";
  }
}

}  // namespace
}  // namespace scry::optim
