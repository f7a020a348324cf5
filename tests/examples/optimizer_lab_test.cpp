#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "process.hpp"

namespace scry::test {
namespace {

Result run_lab(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SCRY_BIN_DIR "/optimizer_lab");
  return Process(arguments).finish();
}

TEST(OptimizerLab, PrintsTheWayAndItsLines) {
  const Result result = run_lab({"lookahead(sgd(lr=0.1), k=2)", "--steps", "2", "--terms"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::HasSubstr("lookahead(sgd(lr=0.1), k=2, alpha=0.5) on bowl"));
  EXPECT_THAT(result.out, ::testing::HasSubstr("     1   -3.60000    0.00000  28\n"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("x: w +=  ?w - 0.1 \\* g"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("x: slow +=  ?slow \\+ 0.5 \\* \\(w - slow\\)"));
}

TEST(OptimizerLab, TracesAsJson) {
  const Result result = run_lab({"adam(lr=0.1)", "--landscape=rosenbrock", "--steps=3", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto trace = nlohmann::json::parse(result.out);
  ASSERT_EQ(trace["steps"].size(), 6U);
  EXPECT_EQ(trace["steps"][5]["slots"]["adam/step"], 3);
  EXPECT_EQ(trace["steps"][4]["terms"].back()["value"], trace["steps"][4]["after"]);
}

TEST(OptimizerLab, RefusesWrongUsage) {
  for (const char* wrong : {"--landscape=moon", "--steps=0", "adm(lr=0.1)"}) {
    const Result result = run_lab({wrong});
    EXPECT_EQ(result.status, 2) << wrong;
    EXPECT_THAT(result.err, ::testing::StartsWith("optimizer_lab: "));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

}  // namespace
}  // namespace scry::test
