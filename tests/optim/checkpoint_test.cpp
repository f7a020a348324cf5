#include "fixture.hpp"
#include "python.hpp"
#include "support.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace scry::optim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct TemporaryFolder {
  std::string path = (std::filesystem::temp_directory_path() / ("scry_checkpoint_" + std::to_string(getpid()))).string();
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
};

TEST(Checkpoint, FilesHoldTheWeightsToShipByTheirNames) {
  const TemporaryFolder folder;
  TestModel model = model_of(1);
  model.parameters.push_back({"tied", model["p0"]});
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
  steps(model, optimizer, 0, 2);
  save_checkpoint(folder.file("a.safetensors"), optimizer, {{"classes", "10"}});
  const auto file = io::load_safetensors(folder.file("a.safetensors"));
  const auto scope = optimizer.evaluation();
  size_t found = 0;
  for (const NamedTensor& each : file.tensors) {
    if (each.name != "p1" && each.name != "p0" && each.name != "tied") continue;
    ++found;
    EXPECT_EQ(each.tensor.to_vector<float>(), model[each.name].to_vector<float>());
  }
  EXPECT_EQ(found, 3U);
  EXPECT_EQ(file.metadata.at("classes"), "10");
}

TEST(Checkpoint, FilesResumeExactlyWithTheRandomState) {
  const TemporaryFolder folder;
  const TestModel model = model_of(1), other = model_of(2);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
  steps(model, optimizer, 0, 4);
  manual_seed(99);
  default_generator().next();
  save_checkpoint(folder.file("a.safetensors"), optimizer, {{"epoch", "4"}});
  steps(model, optimizer, 4, 9);
  const uint64_t random = default_generator().next();

  manual_seed(1);
  Optimizer resumed = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{other});
  const Restored restored = load_checkpoint(folder.file("a.safetensors"), resumed);
  EXPECT_EQ(restored.metadata.at("epoch"), "4");
  EXPECT_EQ(restored.metadata.size(), 1U);
  EXPECT_TRUE(restored.notes.empty());
  steps(other, resumed, 4, 9);
  EXPECT_EQ(weights_of(other), weights_of(model));
  EXPECT_EQ(default_generator().next(), random);
}

TEST(Checkpoint, IsReadInPython) {
  if (const std::string why = test::missing_in_python("safetensors numpy"); !why.empty()) GTEST_SKIP() << why;
  const TemporaryFolder folder;
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
  Scheduler scheduler{optimizer, schedules::exponential(0.9)};
  steps(model, optimizer, 0, 2);
  save_checkpoint(folder.file("a.safetensors"), optimizer, {{"classes", "10"}}, {{"schedule", scheduler}});
  const char* script = R"(
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as f:
    header = json.loads(f.metadata()["scry"])
    assert header["format"] == "scry checkpoint" and header["version"] == 1 and header["steps"] == 2
    assert [rule["name"] for rule in header["rules"]] == ["lookahead", "adam"] and header["parts"] == ["schedule"]
    assert header["rules"][1]["options"][0]["lr"] == {"given": "0.1", "now": "0.1"}
    assert f.metadata()["classes"] == "10" and f.get_tensor("part:schedule/steps") == 0
    for row in header["rows"]:
        slow = f.get_tensor(row["name"])
        if row["trained"]:
            assert slow.shape == f.get_tensor("training:" + row["name"]).shape == f.get_tensor("adam/exp_avg:" + row["name"]).shape
    assert list(f.get_tensor("adam/step")) == [2, 2, 2, 0, 0]
    assert abs(float(f.get_tensor("p1").sum()) - float(sys.argv[2])) < 1e-4
)";
  const auto scope = optimizer.evaluation();
  EXPECT_TRUE(test::run_python({"-c", script, folder.file("a.safetensors"), std::to_string(sum(model["p1"]).item())}));
}

TEST(Checkpoint, RowsAreFoundByNameAndFrozenOnesThaw) {
  const TestModel model = random_model({{5}, {6}}, 1);
  TestModel reordered = random_model({{5}, {6}}, 2);
  std::swap(reordered.parameters[0], reordered.parameters[1]);
  reordered["p1"].requires_grad_(false);
  Adam adam{Registry{model}, {.lr = 0.1}};
  steps(model, adam, 0, 3);
  Adam other{Registry{reordered}, {.lr = 0.1}};
  restore(other, capture(adam));
  reordered["p1"].requires_grad_();
  std::swap(reordered.parameters[0], reordered.parameters[1]);
  steps(model, adam, 3, 6);
  steps(reordered, other, 3, 6);
  EXPECT_EQ(weights_of(reordered), weights_of(model));
}

TEST(Checkpoint, RowsWithWindowsOfTheirOwnMayMeetInOneArena) {
  // One is added mid-window; the resumed model has both from the start, side by side.
  for (const char* expression : {"lookahead(sgd(lr=0.1), k=3)", "lookahead(adam(lr=0.1), k=3)"}) {
    const TestModel model = random_model({{5}}, 1), late = random_model({{6}}, 2), other = random_model({{5}, {6}}, 3);
    const TestModel both{{{"p0", model["p0"]}, {"p1", late["p0"]}}, {}};
    Registry registry{model};
    Optimizer optimizer = make_optimizer(expression, registry);
    steps(model, optimizer, 0, 2);
    registry.add({{"p1", late["p0"]}});
    steps(both, optimizer, 2, 4);
    Optimizer resumed = make_optimizer(expression, Registry{other});
    restore(resumed, capture(optimizer));
    steps(both, optimizer, 4, 10);
    steps(other, resumed, 4, 10);
    EXPECT_EQ(weights_of(other), weights_of(both));
  }
}

TEST(Checkpoint, NotInsideAnEvaluation) {
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(sgd)", Registry{model});
  const Checkpoint saved = capture(optimizer);
  const auto scope = optimizer.evaluation();
  EXPECT_THROW(capture(optimizer), Error);
  EXPECT_THROW(restore(optimizer, saved), Error);
}

TEST(Checkpoint, DamagedOnesAreRefusedAndChangeNothing) {
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
  steps(model, optimizer, 0, 4);
  const Checkpoint saved = capture(optimizer);
  steps(model, optimizer, 4, 5);
  const auto before = weights_of(model);
  const uint64_t counter = default_generator().counter();
  const auto refusal = [&](const std::string& from, const std::string& to) {
    Checkpoint damaged = saved;
    std::string& header = damaged.metadata.at("scry");
    const size_t at = header.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    header.replace(at, from.size(), to);
    return test::message_of([&] { restore(optimizer, damaged, "x"); });
  };
  EXPECT_THAT(refusal("{", ""), HasSubstr("x: its header is damaged"));
  EXPECT_THAT(refusal("\"rules\"", "\"rulez\""), HasSubstr("its header is damaged"));
  EXPECT_THAT(refusal("\"version\":1", "\"version\":2"), HasSubstr("its version is 2; this program reads version 1"));
  EXPECT_THAT(refusal("scry checkpoint", "other"), HasSubstr("no checkpoint of scry"));
  EXPECT_THAT(refusal("\"steps\":4", "\"steps\":-4"), HasSubstr("steps is -4"));
  EXPECT_THAT(refusal("\"seed\":", "\"seed\":\"x\",\"sead\":"), HasSubstr("its header is damaged"));
  EXPECT_THAT(refusal("\"now\":\"0.1\"", "\"now\":\"-1\""), HasSubstr("adam: lr is '-1'"));
  EXPECT_THAT(refusal("\"beta1\"", "\"beta7\""), HasSubstr("adam has no option 'beta7' here"));
  EXPECT_THAT(refusal("adam/exp_avg\"", "adam/other\""), HasSubstr("it has the state adam/other"));
  EXPECT_THAT(refusal("{\"name\":\"p0\"", "{\"name\":\"p1\""), HasSubstr("'p1' is listed twice"));
  EXPECT_THAT(refusal("\"role\":\"buffer\"", "\"role\":\"parameter\""), HasSubstr("'mean' is a parameter in the checkpoint and not here"));
  EXPECT_THAT(test::message_of([&] { restore(optimizer, {saved.tensors, {}}, "x"); }), HasSubstr("x: this is no checkpoint"));

  for (const NamedTensor& each : saved.tensors) {
    Checkpoint damaged = saved;
    std::erase_if(damaged.tensors, [&](const NamedTensor& other) { return other.name == each.name; });
    EXPECT_THAT(test::message_of([&] { restore(optimizer, damaged, "x"); }), HasSubstr("x: the tensor '" + each.name + "' is missing"));
    for (NamedTensor& other : damaged.tensors)
      if (other.name == "adam/step") other.tensor = full({5}, 0.5, f64);
    EXPECT_NE(test::message_of([&] { restore(optimizer, damaged, "x"); }), test::nothing_thrown);
  }
  Checkpoint half = saved;
  for (NamedTensor& each : half.tensors)
    if (each.name == "adam/step") each.tensor = full({5}, 0.5, f64);
  EXPECT_THAT(test::message_of([&] { restore(optimizer, half, "x"); }), HasSubstr("adam/step of 'p0' is no count"));
  EXPECT_EQ(weights_of(model), before);
  EXPECT_EQ(default_generator().counter(), counter);
  EXPECT_EQ(optimizer.steps(), 5);
}

TEST(Checkpoint, OptionsThatDoNotFitTogetherAreRefused) {
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(sgd(momentum=0.5))", Registry{model});
  optimizer.set("alpha", 0.9);
  Checkpoint damaged = capture(optimizer);
  optimizer.set("alpha", 0.3);
  std::string& header = damaged.metadata.at("scry");
  for (const auto& [from, to] : {std::pair<std::string, std::string>{R"("given":"0.5","now":"0.5")", R"("given":"0.5","now":"0")"},
                                 {R"("nesterov":{"given":"false","now":"false")", R"("nesterov":{"given":"false","now":"true")"}}) {
    ASSERT_NE(header.find(from), std::string::npos);
    header.replace(header.find(from), from.size(), to);
  }
  EXPECT_THAT(test::message_of([&] { restore(optimizer, damaged); }), HasSubstr("nesterov needs momentum"));
  EXPECT_EQ(optimizer.get("alpha"), 0.3);
  EXPECT_EQ(optimizer.get("momentum"), 0.5);
}

TEST(Checkpoint, BrokenFilesAreRefused) {
  const TemporaryFolder folder;
  const TestModel model = model_of(1);
  Optimizer optimizer = make_optimizer("lookahead(adam(lr=0.1), k=3)", Registry{model});
  save_checkpoint(folder.file("a.safetensors"), optimizer);
  const auto before = weights_of(model);
  std::ifstream in(folder.file("a.safetensors"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (size_t length = 0; length < bytes.size(); length += 97) {
    std::ofstream(folder.file("b.safetensors"), std::ios::binary) << bytes.substr(0, length);
    EXPECT_THAT(test::message_of([&] { load_checkpoint(folder.file("b.safetensors"), optimizer); }), HasSubstr("b.safetensors"));
  }
  Generator random(3);
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  header_bytes += sizeof header_bytes;
  for (int i = 0; i < 1000; ++i) {  // a flipped bit in the header gives an error or, in free text, nothing worse
    std::string changed = bytes;
    const auto at = static_cast<size_t>(random.below(static_cast<int64_t>(header_bytes)));
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
    std::ofstream(folder.file("b.safetensors"), std::ios::binary) << changed;
    test::message_of([&] { load_checkpoint(folder.file("b.safetensors"), optimizer); });
  }
  for (size_t at = header_bytes; at < bytes.size(); at += 7) {  // and one in what follows is found by the checksum
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
    std::ofstream(folder.file("b.safetensors"), std::ios::binary) << changed;
    EXPECT_THAT(test::message_of([&] { load_checkpoint(folder.file("b.safetensors"), optimizer); }), HasSubstr("b.safetensors"));
  }
  EXPECT_EQ(weights_of(model), before);
  EXPECT_THAT(test::message_of([&] { load_checkpoint(folder.file("missing"), optimizer); }), HasSubstr("missing"));
  EXPECT_THAT(test::message_of([&] { save_checkpoint("/proc/none/a", optimizer); }), HasSubstr("/proc/none/a"));
  EXPECT_THAT(test::message_of([&] { capture(optimizer, {{"scry", "mine"}}); }), HasSubstr("'scry' is taken"));
}

}  // namespace
}  // namespace scry::optim
