// classify train, evaluate and predict as their users see them.

#include <scry/core/creation.hpp>
#include <scry/core/io/image.hpp>

#include "classify_fixture.hpp"

namespace scry::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ClassifyModel : public Classify, public ::testing::WithParamInterface<const char*> {};

TEST_P(ClassifyModel, TrainsIsTestedAndPredicts) {
  const Result trained = train({"--model", GetParam(), "--json"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(trained.err, "");
  const auto line = last_line(trained);
  EXPECT_GT(line.at("test_accuracy").get<double>(), 0.9);
  EXPECT_LE(line.at("test_accuracy").get<double>(), 1.0);
  EXPECT_GT(line.at("train_seconds").get<double>(), 0);
  EXPECT_GT(line.at("images_per_second").get<double>(), 0);
  EXPECT_EQ(line.at("epochs"), 2);
  EXPECT_GT(line.at("parameters").get<int64_t>(), 1000);
  EXPECT_THAT(files("run"), ElementsAre("checkpoint.safetensors", "model.safetensors"));

  // The network, and the checkpoint of its training, by the folder's name or their own.
  for (const char* what : {"run", "run/", "run/model.safetensors", "run/checkpoint.safetensors"}) {
    const Result tested = run({"evaluate", what, "--data", "data", "--json"});
    ASSERT_EQ(tested.status, 0) << tested.err;
    EXPECT_EQ(last_line(tested).at("test_accuracy"), line.at("test_accuracy"));
    EXPECT_EQ(last_line(tested).at("images"), 100);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ClassifyModel, ::testing::Values("lenet", "mlp", "cnn"), [](const auto& name) { return std::string(name.param); });

TEST_F(Classify, TellsAccuracyByClassItsUncertaintyAndWhereTheFilesAre) {
  write_split("data", "t10k", 30);  // 8, 8, 7 and 7 of the classes
  const Result result = train({"--lr", "0", "--epochs", "1", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto line = last_line(result);
  const double p = line.at("test_accuracy"), std = line.at("test_accuracy_std");
  EXPECT_NEAR(std, std::sqrt(p * (1 - p) / 30), 1e-12);
  char expected[100];
  std::snprintf(expected, sizeof expected, "test accuracy %.2f %% ± %.2f %% (%d of 30;", 100 * p, 100 * std, static_cast<int>(std::lround(30 * p)));
  EXPECT_THAT(result.out, HasSubstr(expected));
  EXPECT_THAT(result.out, HasSubstr("\n0             8 ")) << "a line for each class";
  EXPECT_THAT(result.out, HasSubstr("\n3             7 "));
  EXPECT_THAT(result.out, HasSubstr("checkpoint  run/checkpoint.safetensors\n"));
  EXPECT_THAT(result.out, HasSubstr("network     run/model.safetensors\n"));
}

TEST_F(Classify, PredictsWhatPicturesShow) {
  ASSERT_EQ(train({}).status, 0);
  // Bright in the lower left: class 2. Of another size, and in colour.
  Tensor grey = zeros({1, 28, 28}, u8), large = zeros({3, 56, 70}, u8);
  for (Tensor* image : {&grey, &large}) {
    auto* pixels = image->mutable_data<uint8_t>();
    const int64_t height = image->size(1), width = image->size(2);
    for (int64_t i = 0; i < image->numel(); ++i) pixels[i] = i / width % height >= height / 2 && i % width < width / 2 ? 190 : 30;
  }
  io::write_png(path("a.png"), grey);
  io::write_png(path("larger one.png"), large);
  const Result result = run({"predict", "run", "a.png", "larger one.png", "--top", "2"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out,
              ::testing::MatchesRegex("a\\.png:           2 [0-9.]+ %  [013] [0-9.]+ %\nlarger one\\.png:  2 [0-9.]+ %  [013] [0-9.]+ %\n"));
}

TEST_F(Classify, PlainLinesWhereThereIsNoTerminal) {
  const Result result = train({});
  EXPECT_THAT(result.out, HasSubstr("\nepoch 1/2  loss "));
  EXPECT_THAT(result.out, HasSubstr("\nepoch 2/2  loss "));
  EXPECT_THAT(result.out, Not(HasSubstr("\r")));
  EXPECT_THAT(result.out, Not(HasSubstr("\033")));
}

// The longest line that a terminal would have to show, in columns; what begins with a carriage return is drawn over the line before.
size_t longest_line(const std::string& out) {
  size_t longest = 0, length = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n')
      length = 0;
    else if (out.compare(i, 3, "\033[K") == 0)
      i += 2;
    else if ((out[i] & 0xc0) != 0x80)
      ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

TEST_F(Classify, BarOnATerminalFitsIntoItsWidth) {
  for (const int columns : {200, 80, 40, 12}) {
    Process process({program(), "train", "--data", "data", "--model", "mlp", "--batch", "20", "--epochs", "2", "--out", path("run")},
                    {.folder = folder(), .columns = columns});
    const Result result = process.finish();
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("\r\033[Kepoch 1/2 "));
    EXPECT_THAT(result.out, HasSubstr("\r\033[Kepoch 2/2  loss ")) << "the line that stays";
    EXPECT_EQ(result.out.find("━━━━━") != std::string::npos, columns >= 80);
    // The bars alone: lines that stay may be broken.
    std::string bars;
    for (size_t at = 0; (at = result.out.find("\r\033[Kepoch", at)) != std::string::npos; ++at) {
      const std::string line = result.out.substr(at, result.out.find_first_of("\r\n", at + 1) - at);
      if (line.find("test accuracy") == std::string::npos) bars += line;
    }
    EXPECT_LT(longest_line(bars), static_cast<size_t>(columns));
  }
}

TEST_F(Classify, SameSeedSameBitsWhateverTheThreads) {
  std::string network, other;
  nlohmann::json accuracy;
  for (const char* threads : {"1", "2", "3"}) {
    const Result result = train({"--model", "cnn", "--seed", "7", "--threads", threads, "--json"});
    ASSERT_EQ(result.status, 0) << result.err;
    if (network.empty()) {
      network = read("run/model.safetensors");
      accuracy = last_line(result).at("test_accuracy");
    }
    EXPECT_TRUE(read("run/model.safetensors") == network) << threads << " threads";
    EXPECT_EQ(last_line(result).at("test_accuracy"), accuracy);
  }
  ASSERT_EQ(train({"--model", "cnn", "--seed", "8"}).status, 0);
  EXPECT_FALSE(read("run/model.safetensors") == network) << "another seed";
}

TEST_F(Classify, LossesThatAreNoNumbersAreSaidOnce) {
  const Result result = train({"--lr", "1e30", "--epochs", "3", "--json"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, ::testing::MatchesRegex("classify: the loss [^\n]*smaller --lr\n"));
  EXPECT_GE(last_line(result).at("test_accuracy").get<double>(), 0);
}

// Else `evaluate FOLDER` would test the network of the run before.
TEST_F(Classify, NewRunReplacesTheOldNetworkToo) {
  ASSERT_EQ(train({}).status, 0);
  Process process({program(), "train", "--data", path("data"), "--model", "mlp", "--epochs", "1000", "--out", path("run")});
  ASSERT_TRUE(process.wait_for("epoch    1/1000"));
  process.signal(SIGTERM);
  const Result result = process.finish();
  EXPECT_EQ(result.status, 128 + SIGTERM);
  EXPECT_THAT(result.out, HasSubstr("replacing the run that was in "));
  EXPECT_THAT(files("run"), ElementsAre("checkpoint.safetensors"));
}

TEST_F(Classify, HelpTellsOptionsAndDefaults) {
  const Result all = run({"--help"}), train = run({"train", "--help"});
  EXPECT_EQ(all.status, 0);
  EXPECT_EQ(train.status, 0);
  for (const char* part : {"train", "evaluate", "predict", "--threads"}) EXPECT_THAT(all.out, HasSubstr(part));
  for (const char* part : {"--model NAME=cnn", "--epochs NUMBER=8", "lookahead(", "Ctrl-C"}) EXPECT_THAT(train.out, HasSubstr(part));
}

}  // namespace
}  // namespace scry::test
