// Runs that are stopped, killed, and go on.

#include <sys/resource.h>

#include <scry/core/io/safetensors.hpp>
#include <csignal>
#include <thread>

#include "classify_fixture.hpp"

namespace scry::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

// The command that a stopped run prints.
std::string command_in(const Result& result) {
  const std::string before = "stopped; go on with: ";
  const size_t at = result.out.find(before);
  EXPECT_NE(at, std::string::npos) << result.out << result.err;
  return at == std::string::npos ? "false" : result.out.substr(at + before.size());
}

class ClassifyResume : public Classify {
 protected:
  // The network with dropout and batch normalisation, so with random numbers and buffers to go on with.
  std::vector<std::string> command(const std::string& out) const {
    return {program(), "train", "--data", "data", "--model", "cnn", "--batch", "10", "--epochs", "4", "--seed", "3", "--out", out};
  }
  // Waits for the text and so long after it, then sends the signal.
  Result interrupted(const std::vector<std::string>& command, int signal, const std::string& text, int milliseconds) const {
    Process process(command, {.folder = folder()});
    EXPECT_TRUE(process.wait_for(text));
    pause(milliseconds);
    process.signal(signal);
    return process.finish();
  }
  Result shell(const std::string& line) const { return Process({"/bin/sh", "-c", line}, {.folder = folder()}).finish(); }
  void expect_same(const std::string& a, const std::string& b) const {
    for (const std::string name : {"/model.safetensors", "/checkpoint.safetensors"}) EXPECT_TRUE(read(a + name) == read(b + name)) << name;
    EXPECT_THAT(files(a), ElementsAre("checkpoint.safetensors", "model.safetensors"));
  }
};

TEST_F(ClassifyResume, StoppedAtAnyMomentEndsWithTheSameBits) {
  ASSERT_EQ(Process(command("whole"), {.folder = folder()}).finish().status, 0);
  const std::pair<const char*, int> moments[] = {{"images to learn from", 0}, {"adam", 70}, {"epoch 1/4", 0}, {"epoch 2/4", 50}, {"epoch 4/4", 0}};
  for (const auto& [text, milliseconds] : moments) {
    std::filesystem::remove_all(path("parts"));
    Result result = interrupted(command("parts"), SIGINT, text, milliseconds);
    if (result.status == 0) continue;  // it was faster
    EXPECT_EQ(result.status, 130);
    EXPECT_EQ(result.err, "");
    EXPECT_LT(result.seconds, 3) << "a second on a machine that does nothing else";
    EXPECT_TRUE(exists("parts/checkpoint.safetensors"));
    EXPECT_EQ(files("parts").size(), 1U);
    result = shell(command_in(result));
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("going on after "));
    expect_same("whole", "parts");
  }
}

TEST_F(ClassifyResume, StoppedTwiceEndsWithTheSameBits) {
  ASSERT_EQ(Process(command("whole"), {.folder = folder()}).finish().status, 0);
  const std::string first = command_in(interrupted(command("parts"), SIGINT, "adam", 40));
  const Result second = interrupted({program(), "train", "--resume", "--out", "parts"}, SIGINT, "going on", 60);
  const Result result = shell(second.status == 130 ? command_in(second) : first);
  EXPECT_EQ(result.status, 0) << result.err;
  expect_same("whole", "parts");
}

TEST_F(ClassifyResume, PrintedCommandSurvivesTheShell) {
  for (const std::string out : {"with space", "it's", "$HOME \"x\" `y`;z", "-dash", "a/b/c", "new\nline"}) {
    auto words = command("");
    words.pop_back();
    words.back() = "--out=" + out;
    words[9] = "2";
    words.insert(words.begin() + 1, {"--threads", "1"});
    const Result stopped = interrupted(words, SIGINT, "images to learn from", 0);
    ASSERT_EQ(stopped.status, 130) << stopped.err;
    EXPECT_THAT(command_in(stopped), HasSubstr("--threads 1"));
    const Result result = shell(command_in(stopped));
    EXPECT_EQ(result.status, 0) << out << "\n" << result.err;
    EXPECT_TRUE(exists(out + "/model.safetensors")) << out;
  }
}

TEST_F(ClassifyResume, KilledRunLeavesACheckpointToGoOnFrom) {
  ASSERT_EQ(Process(command("whole"), {.folder = folder()}).finish().status, 0);
  for (const int milliseconds : {0, 15, 60}) {
    std::filesystem::remove_all(path("parts"));
    const Result killed = interrupted(command("parts"), SIGKILL, "epoch 1/4", milliseconds);
    ASSERT_EQ(killed.status, -SIGKILL);
    EXPECT_EQ(run({"evaluate", "parts", "--data", "data"}).status, 0);
    const Result result = run({"train", "--resume", "--out", "parts"});
    EXPECT_EQ(result.status, 0) << result.err;
    expect_same("whole", "parts");
  }
}

TEST_F(ClassifyResume, FinishedRunGoesOnForMoreEpochs) {
  ASSERT_EQ(Process(command("whole"), {.folder = folder()}).finish().status, 0);
  auto shorter = command("parts");
  shorter[9] = "2";
  ASSERT_EQ(Process(shorter, {.folder = folder()}).finish().status, 0);
  ASSERT_EQ(run({"train", "--resume", "--out", "parts", "--epochs", "4"}).status, 0);
  expect_same("whole", "parts");
  // Once more, with nothing to do.
  const Result again = run({"train", "--resume", "--out", "parts", "--json"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(last_line(again).at("epochs"), 4);
  expect_same("whole", "parts");
}

TEST_F(ClassifyResume, OptionsThatAreAnotherRunsAreRefused) {
  ASSERT_EQ(train({}).status, 0);
  const std::string before = read("run/checkpoint.safetensors");
  const auto resume = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"train", "--resume", "--out", "run"});
    return run(more);
  };
  expect_refusal(resume({"--lr", "0.5"}), 2, {"--lr 0.5", "run", "0.001"});
  expect_refusal(resume({"--model", "lenet"}), 2, {"--model", "lenet", "mlp"});
  expect_refusal(resume({"--seed", "9"}), 2, {"--seed 9"});
  expect_refusal(resume({"--batch", "64"}), 2, {"--batch 64", "20"});
  expect_refusal(resume({"--optimizer", "adam"}), 2, {"--optimizer", "adam", "lookahead(adam)"});
  expect_refusal(resume({"--epochs", "1"}), 2, {"--epochs 1", "at least 2"});
  EXPECT_EQ(resume({"--lr", "0.001", "--model", "mlp", "--batch", "20", "--seed", "0", "--data", path("data")}).status, 0) << "the same";
  EXPECT_TRUE(before == read("run/checkpoint.safetensors"));
}

TEST_F(ClassifyResume, OtherImagesAreRefused) {
  ASSERT_EQ(train({}).status, 0);
  write_split("data", "train", 200, 28, 5);
  expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"data: ", "--data"});
  std::filesystem::remove_all(path("data"));
  expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"'data'", "no such folder"});
}

TEST_F(ClassifyResume, WithoutARunThereIsARefusal) {
  expect_refusal(run({"train", "--resume", "--out", "nothing"}), 1, {"nothing", "no run", "--resume"});
  EXPECT_FALSE(exists("nothing"));
}

// The limit comes down while the program runs, as a disk fills.
TEST_F(ClassifyResume, DiskThatFillsLeavesTheLastCheckpoint) {
  auto words = command("parts");
  words[9] = "1000";
  Process process(words, {.folder = folder()});
  ASSERT_TRUE(process.wait_for("epoch    1/1000"));
  const rlimit limit{1 << 16, 1 << 16};
  ASSERT_EQ(::prlimit(process.id(), RLIMIT_FSIZE, &limit, nullptr), 0);
  const Result result = process.finish();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, ::testing::MatchesRegex("classify: parts/checkpoint.safetensors: can't be written: [^\n]*\n"));
  EXPECT_THAT(files("parts"), ElementsAre("checkpoint.safetensors"));
  EXPECT_EQ(run({"evaluate", "parts", "--data", "data"}).status, 0);
}

}  // namespace
}  // namespace scry::test
