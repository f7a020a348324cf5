#include <fstream>

#include "core/io_support.hpp"
#include "process.hpp"

namespace scry::test {
namespace {

class Generate : public ::testing::Test {
 protected:
  Generate() {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "abc ";
    put(folder_ / "text", text);
  }
  Result run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), SCRY_BIN_DIR "/generate");
    return Process(arguments, {.folder = folder_.path()}).finish();
  }
  TempFolder folder_;
};

TEST_F(Generate, GoesOnInTheMannerOfTheText) {
  for (const char* model : {"gpt", "lstm"}) {
    const std::vector<std::string> arguments{"text", "--model",  model, "--steps",  "60", "--batch",       "4",  "--context",
                                             "12",   "--prompt", "c a", "--length", "8",  "--temperature", "0.1"};
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "c abc abc a\n") << model;
    EXPECT_TRUE(contains(result.err, "step 60 of 60")) << result.err;
    EXPECT_EQ(run(arguments).out, result.out);
  }
}

TEST_F(Generate, SaysWhatIsWrong) {
  const auto refused = [&](const std::vector<std::string>& arguments, int status, std::string_view part) {
    const Result result = run(arguments);
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_TRUE(result.out.empty() && result.err.starts_with("generate: ") && contains(result.err, part)) << result.err;
  };
  refused({}, 2, "text is required");
  refused({"text", "--model", "rnn"}, 2, "--model");
  refused({"text", "--steps", "-1"}, 2, "--steps");
  refused({"none"}, 1, "none: can't be read");
  refused({"text", "--context", "800"}, 1, "text: has 800 characters");
  refused({"text", "--prompt", "xyz"}, 1, "'x' doesn't occur");
}

}  // namespace
}  // namespace scry::test
