// Any composition, any options: the same bits after a restart at any step, with evaluations in between.

#include "fixture.hpp"

namespace scry::optim {
namespace {

template <size_t n>
std::string one_of(const std::string (&choices)[n], Generator& random) {
  return choices[random.below(n)];
}

std::string random_base(Generator& random) {
  const std::string lr = text("(lr=0.0", 1 + random.below(20)), decay = text(", weight_decay=0.", random.below(3));
  const std::string beta = text(", beta1=0.", random.below(10)), flag = random.below(2) ? "true" : "false";
  return one_of({"sgd" + lr + decay + ")", "sgd" + lr + ", momentum=0.9, nesterov=" + flag + ")", "sgd" + lr + ", momentum=0.9, dampening=0.5)",
                 "adam" + lr + beta + decay + ", amsgrad=" + flag + ")", "adamw" + lr + ", maximize=" + flag + ")", "amsgrad" + lr + decay + ")",
                 "nadam" + lr + beta + ", decoupled_weight_decay=" + flag + ")", "radam" + lr + ", beta2=0.9)", "adamax" + lr + beta + ")",
                 "rmsprop" + lr + ", momentum=0.5, centered=" + flag + ")", "rmsprop" + lr + decay + ")",
                 "adagrad" + lr + ", lr_decay=0.1, initial_accumulator_value=0.5)", "adadelta" + lr + decay + ")", "lion" + lr + beta + ")",
                 "lamb" + lr + decay + ", adapt=" + flag + ")", "muon" + lr + ", nesterov=" + flag + ")"},
                random);
}

std::string random_expression(Generator& random) {
  std::string expression = random_base(random);
  for (int64_t depth = random.below(5); depth > 0; --depth) {
    const std::string tenth = text("0.", random.below(10)), some = text(1 + random.below(5));
    const std::string policy = one_of({"keep", "pull_back", "reset"}, random);
    const std::string more =
        one_of({"", "", ", adaptive=true, alpha_low=0.1", ", outer_momentum=0.4", ", rollback=true", ", batch_norm=interpolate"}, random);
    expression = one_of({"lookahead(" + expression + ", k=" + some + ", alpha=" + tenth + ", inner_state=" + policy + more + ")",
                         "ema(" + expression + ", decay=" + tenth + ", every=" + some + ")", "swa(" + expression + ", start=" + some + ", every=2)",
                         "clip_norm(" + expression + ", max_norm=" + tenth + ")", "clip_value(" + expression + ", max_value=" + tenth + ")",
                         "adaptive_clip(" + expression + ", clipping=" + tenth + ")", "accumulate(" + expression + ", n=" + some + ")",
                         "loss_scale(" + expression + ", scale=16, growth_interval=" + some + ")"},
                        random);
  }
  return expression;
}

TestModel model_of(uint64_t seed, DType dtype) {
  TestModel model = random_model({{3}, {17, 2}, {1}, {64}}, seed, dtype);
  model.buffers = {{"mean", full({20}, static_cast<double>(seed), dtype)}};
  return model;
}

std::vector<std::vector<double>> state_of(const TestModel& model) {
  auto all = weights_of(model);
  all.push_back(model.buffers[0].tensor.to_vector<double>());
  return all;
}

// The buffer moves, and each parameter has a gradient in most steps, always the same ones.
void step(const TestModel& model, Optimizer& optimizer, uint64_t i) {
  optimizer.report_skipped_to(nullptr);
  give_gradients(model, i);
  Tensor mean = model.buffers[0].tensor;
  add_(mean, static_cast<double>(i % 5));
  Generator random(5, i << 20);
  for (const NamedTensor& each : model.parameters)
    if (random.below(4) == 0) autograd::leaf_of(each.tensor)->gradient = {};
  optimizer.step();
}

TEST(Property, RestartsChangeNoBit) {
  constexpr uint64_t total = 24;
  Generator random(2026);
  for (int round = 0; round < 300; ++round) {
    const std::string expression = random_expression(random);
    const DType dtype = random.below(2) == 0 ? f32 : f64;
    const TestModel whole = model_of(1, dtype), parts = model_of(1, dtype), last = model_of(2, dtype);

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
    EXPECT_EQ(state_of(last), state_of(whole)) << expression << " stopped at " << stop;
    const auto a = uninterrupted.evaluation();
    const auto b = second.evaluation();
    EXPECT_EQ(state_of(last), state_of(whole)) << expression << " slow weights";
  }
}

}  // namespace
}  // namespace scry::optim
