#include "fixture.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace scry::optim {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines_of(const TracedStep& step) {
  std::vector<std::string> lines;
  for (const TracedTerm& each : step.terms)
    if (!each.name.empty()) lines.push_back(each.name + " = " + each.text);
  return lines;
}

TEST(Trace, ShowsTheLinesOfTheEquation) {
  const TestModel model = scalar_model(2);
  Lookahead optimizer{SGD{Registry{model}, {.lr = 0.5, .momentum = 0.9, .weight_decay = 0.25}}, {.k = 2, .alpha = 0.25}};
  const Trace trace{optimizer, {{"x", 0}}};
  for (int i = 0; i < 2; ++i) {
    optimizer.zero_grad();
    give_gradient(model["x"], 1);
    optimizer.step();
  }
  ASSERT_EQ(trace.steps().size(), 2U);
  const TracedStep& first = trace.steps()[0];
  EXPECT_EQ(first.step, 1);
  EXPECT_EQ(first.before, 2);
  EXPECT_EQ(first.gradient, 1);
  EXPECT_EQ(first.after, 1.25);
  EXPECT_THAT(first.slots, testing::Contains(std::pair<std::string, double>("sgd/momentum_buffer", 1.5)));
  EXPECT_THAT(first.slots, testing::Contains(std::pair<std::string, double>("lookahead/position", 1)));
  EXPECT_THAT(lines_of(first),
              testing::ElementsAre("g = g + 0.25 * w", "momentum_buffer = 0.9 * momentum_buffer + 1 * g", "w = w - 0.5 * momentum_buffer"));
  EXPECT_THAT(lines_of(trace.steps()[1]), testing::Contains("slow = slow + 0.25 * (w - slow)"));
  EXPECT_THAT(trace.json(),
              HasSubstr(R"json({"optimizer":"lookahead(sgd(lr=0.5, momentum=0.9, weight_decay=0.25), k=2, alpha=0.25)","elements":)json"
                        R"json([{"parameter":"x","element":0}],"steps":[{"step":1,"element":0,"before":2.0,"gradient":1.0,"after":1.25,)json"));
}

// Every optimizer, in either type: the terms come to the very weight that the step makes, and to its state.
TEST(Trace, TermsComeToTheResult) {
  for (const std::string& usage : optimizer_usages()) {
    const std::string name = usage.substr(0, usage.find('('));
    const bool wraps = usage.find("(optimizer") != std::string::npos;
    for (const DType dtype : {f32, f64}) {
      const TestModel model = random_model({{3, 5}, {64}}, 1, dtype), untraced = random_model({{3, 5}, {64}}, 1, dtype);
      Optimizer optimizer = make_optimizer(wraps ? name + "(adam(lr=0.1))" : name, Registry{model});
      Optimizer plain = make_optimizer(optimizer.expression(), Registry{untraced});
      const Trace trace{optimizer, {{"p0", 14}, {"p1", 20}}};
      for (uint64_t i = 0; i < 12; ++i) {
        give_gradients(model, i);
        give_gradients(untraced, i);
        optimizer.step();
        plain.step();
      }
      EXPECT_EQ(weights_of(model), weights_of(untraced)) << name << ": looking on changes nothing";
      for (const TracedStep& step : trace.steps()) {
        for (auto term = step.terms.rbegin(); term != step.terms.rend(); ++term) {
          if (term->name != "w" && term->name != "slow") continue;
          EXPECT_EQ(term->value, step.after) << name << " in step " << step.step;
          break;
        }
      }
      EXPECT_TRUE((name != "adam" && name != "sgd") || !trace.steps().back().terms.empty());
    }
  }
}

TEST(Trace, RowsWithoutAGradientStandStill) {
  const TestModel model = random_model({{4}, {4}}, 1);
  Optimizer optimizer = make_optimizer("adam", Registry{model});
  Trace trace{optimizer, {{"p1", 3}}};
  give_gradient(model["p0"], 1);
  optimizer.step();
  const TracedStep& step = trace.steps().front();
  EXPECT_EQ(step.before, step.after);
  EXPECT_FALSE(step.gradient.has_value());
  EXPECT_TRUE(step.terms.empty());
  EXPECT_THAT(trace.json(), HasSubstr(R"("gradient":null)"));
  trace.clear();
  EXPECT_TRUE(trace.steps().empty());
}

TEST(Trace, RefusesAndEnds) {
  TestModel model = random_model({{4}}, 1);
  model.buffers = {{"mean", ones({2})}};
  Optimizer optimizer = make_optimizer("sgd", Registry{model});
  EXPECT_THROW((Trace{optimizer, {{"p7", 0}}}), Error);
  EXPECT_THROW((Trace{optimizer, {{"p0", 4}}}), Error);
  EXPECT_THROW((Trace{optimizer, {{"p0", -1}}}), Error);
  EXPECT_THROW((Trace{optimizer, {{"mean", 0}}}), Error);
  {
    const Trace first{optimizer, {{"p0", 0}}};
    EXPECT_THROW((Trace{optimizer, {{"p0", 1}}}), Error);
  }
  const Trace second{optimizer, {{"p0", 1}}};
  give_gradient(model["p0"], 1);
  optimizer.step();
  EXPECT_EQ(second.steps().size(), 1U);
}

}  // namespace
}  // namespace scry::optim
