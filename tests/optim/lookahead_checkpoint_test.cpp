#include "fixture.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

// Cases of Lookahead that are about saving and going on.

namespace scry::optim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Lookahead, Case08_ResumeIsExactFromEveryPosition) {
  constexpr int k = 3;
  for (const char* policy : {"keep", "pull_back", "reset"}) {
    for (const char* inner : {"sgd(lr=0.1, momentum=0.9, dampening=0.5)", "adam(lr=0.1)"}) {
      const std::string expression = text("lookahead(", inner, ", k=", k, ", inner_state=", policy, ")");
      const TestModel whole = model_of(1);
      Optimizer uninterrupted = make_optimizer(expression, Registry{whole});
      std::vector<Checkpoint> saved;
      for (uint64_t i = 0; i <= 2 * k; ++i) {
        saved.push_back(capture(uninterrupted));
        steps(whole, uninterrupted, i, i + 1);
      }
      steps(whole, uninterrupted, 2 * k + 1, 4 * k);

      for (uint64_t i = 0; i <= 2 * k; ++i) {
        const TestModel other = model_of(100 + i);
        Optimizer resumed = make_optimizer(expression, Registry{other});
        steps(other, resumed, 50, 50 + i % 3);  // whatever it was doing before
        restore(resumed, saved[i]);
        EXPECT_EQ(resumed.steps(), static_cast<int64_t>(i));
        steps(other, resumed, i, 4 * k);
        EXPECT_EQ(weights_of(other), weights_of(whole)) << expression << " from step " << i;
        EXPECT_EQ(other.buffers[1].tensor.item<int64_t>(), 1);
      }
    }
  }
}

TEST(Lookahead, Case09_APlainCheckpointStartsAWindow) {
  for (const LookaheadOptions& options : {LookaheadOptions{.k = 3},
                                          {.k = 3, .inner_state = InnerState::pull_back},
                                          {.k = 3, .outer_momentum = 0.5},
                                          {.k = 3, .adaptive = true},
                                          {.k = 3, .batch_norm = BatchNormPolicy::interpolate}}) {
    const TestModel plain = model_of(1), wrapped = model_of(2), reference = model_of(3);
    Adam adam{Registry{plain}, {.lr = 0.1}};
    steps(plain, adam, 0, 4);
    const Checkpoint saved = capture(adam);

    const Registry registry{wrapped};
    Lookahead optimizer{Adam{registry, {.lr = 0.1}}, options};
    steps(wrapped, optimizer, 0, 5);
    EXPECT_THAT(restore(optimizer, saved, "file").notes,
                ElementsAre("file has no state of lookahead: its window starts anew from the loaded weights"));
    EXPECT_EQ(weights_of(wrapped), weights_of(plain));
    EXPECT_EQ(registry.slot("p1", "lookahead/slow").to_vector<float>(), plain["p1"].to_vector<float>());
    EXPECT_EQ(registry.slot("p1", "lookahead/position").item(), 0);
    EXPECT_EQ(registry.slot("p1", "adam/step").item(), 4);

    Adam inner{Registry{reference}, {.lr = 0.1}};
    restore(inner, saved);
    Lookahead expected{std::move(inner), options};
    steps(wrapped, optimizer, 4, 12);
    steps(reference, expected, 4, 12);
    EXPECT_EQ(weights_of(wrapped), weights_of(reference));
    const auto a = optimizer.evaluation();
    const auto b = expected.evaluation();
    EXPECT_EQ(wrapped.buffers[0].tensor.to_vector<double>(), reference.buffers[0].tensor.to_vector<double>());
  }
}

TEST(Lookahead, Case09_AWrappersCheckpointGivesTheInnerOneTheSlowWeights) {
  const TestModel wrapped = model_of(1), plain = model_of(2);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{wrapped});
  steps(wrapped, optimizer, 0, 5);
  Adam adam{Registry{plain}, {.lr = 0.1}};
  EXPECT_THAT(restore(adam, capture(optimizer), "file").notes,
              ElementsAre("file was saved with lookahead around the optimizer: its state is left out"));
  const auto scope = optimizer.evaluation();
  EXPECT_EQ(weights_of(plain), weights_of(wrapped));
  EXPECT_EQ(adam.registry().slot("p0", "adam/step").item(), 5);
}

TEST(Lookahead, Case09_AnUnwrappedNestMovesItsSlowWeights) {
  const TestModel nested = model_of(1), single = model_of(2);
  Optimizer outer = make_optimizer("lookahead(lookahead(sgd(lr=0.1), k=3), k=4)", Registry{nested});
  steps(nested, outer, 0, 6);
  const Registry registry{single};
  Optimizer inner = make_optimizer("lookahead(sgd(lr=0.1), k=3)", registry);
  restore(inner, capture(outer));
  const auto scope = outer.evaluation();
  EXPECT_EQ(weights_of(single), weights_of(nested));
  EXPECT_EQ(registry.slot("p1", "lookahead/slow").to_vector<float>(), single["p1"].to_vector<float>());
}

TEST(Lookahead, Case09_OtherOptionsOrModelsAreRefusedAndChangeNothing) {
  const TestModel source = model_of(1);
  Optimizer saver = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{source});
  steps(source, saver, 0, 4);
  const Checkpoint saved = capture(saver);

  const auto refusal = [&](const char* expression, const TestModel& model) {
    Optimizer optimizer = make_optimizer(expression, Registry{model});
    steps(model, optimizer, 0, 2);
    const auto before = weights_of(model);
    const Checkpoint state = capture(optimizer);
    const std::string error = test::message_of([&] { restore(optimizer, saved, "a.safetensors"); });
    EXPECT_EQ(weights_of(model), before);
    const Checkpoint after = capture(optimizer);
    EXPECT_EQ(after.metadata, state.metadata);
    for (size_t i = 0; i < state.tensors.size(); ++i)
      EXPECT_EQ(after.tensors[i].tensor.to_vector<double>(), state.tensors[i].tensor.to_vector<double>());
    return error;
  };
  EXPECT_EQ(refusal("lookahead(adam, k=4)", model_of(2)), "a.safetensors: lookahead: k is 3 in the checkpoint and 4 here; they must be the same");
  EXPECT_THAT(refusal("lookahead(adam, k=3, alpha=0.8)", model_of(2)), HasSubstr("alpha is 0.5 in the checkpoint and 0.8 here"));
  EXPECT_THAT(refusal("lookahead(adam, k=3, inner_state=reset)", model_of(2)), HasSubstr("inner_state is keep in the checkpoint and reset here"));
  EXPECT_THAT(refusal("lookahead(sgd, k=3)", model_of(2)), HasSubstr("and this optimizer is lookahead(sgd(lr=0.001), k=3, alpha=0.5)"));
  EXPECT_THAT(refusal("lookahead(adam, k=3)", model_of(2, {{5}, {7, 3}, {}})),
              HasSubstr("'p1' is f32 of shape [3, 7] in the checkpoint and f32 of shape [7, 3] here"));
  EXPECT_THAT(refusal("lookahead(adam, k=3)", model_of(2, {{5}, {3, 7}})), HasSubstr("it has a tensor 'p2', which this model hasn't"));
  EXPECT_THAT(refusal("lookahead(adam, k=3)", model_of(2, {{5}, {3, 7}, {}, {4}})), HasSubstr("it has no tensor 'p3'"));
}

TEST(Lookahead, Case10_ASavedStateIsASnapshot) {
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3, inner_state=pull_back)", Registry{model});
  steps(model, optimizer, 0, 4);
  const Checkpoint saved = capture(optimizer);
  std::vector<std::vector<double>> before;
  for (const NamedTensor& each : saved.tensors) before.push_back(each.tensor.to_vector<double>());
  steps(model, optimizer, 4, 10);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(saved.tensors[i].tensor.to_vector<double>(), before[i]) << saved.tensors[i].name;
}

TEST(Lookahead, Case11_AScheduledLearningRateIsRestored) {
  const TestModel source = model_of(1), target = model_of(2);
  Optimizer saver = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{source});
  saver.set_lr(0.025);
  steps(source, saver, 0, 4);
  Optimizer loader = make_optimizer("lookahead(adam(lr=0.7), k=3)", Registry{target});
  restore(loader, capture(saver));
  EXPECT_EQ(loader.lr(), 0.025);
  for (const double lr : {0.01, 0.2}) {  // a schedule, attached after the load
    saver.set_lr(lr);
    loader.set_lr(lr);
    steps(source, saver, 4, 6);
    steps(target, loader, 4, 6);
    EXPECT_EQ(weights_of(target), weights_of(source));
  }
  // Lookahead's alpha is compared as it was given, not as a schedule moved it.
  saver.set("alpha", 0.9);
  EXPECT_NO_THROW(restore(loader, capture(saver)));
  EXPECT_EQ(loader.get("alpha"), 0.9);
}

TEST(Lookahead, Case20_ACopyStepsAlikeAndSharesNothing) {
  const TestModel original = model_of(1), copied = model_of(2);
  Optimizer first = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{original});
  steps(original, first, 0, 4);
  Optimizer second = make_optimizer(first.expression(), Registry{copied});
  restore(second, capture(first));
  steps(copied, second, 4, 12);
  const auto after = weights_of(copied);
  steps(original, first, 4, 12);
  EXPECT_EQ(weights_of(copied), after);
  EXPECT_EQ(weights_of(original), after);
}

}  // namespace
}  // namespace scry::optim
