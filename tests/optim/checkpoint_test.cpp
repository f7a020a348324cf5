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

const std::vector<Shape> shapes{{5}, {3, 7}, {}};

TestModel model_of(uint64_t seed, const std::vector<Shape>& sizes = shapes) {
  TestModel model = random_model(sizes, seed);
  model.buffers = {{"mean", full({3}, static_cast<double>(seed))}, {"count", full({}, static_cast<double>(seed), i64)}};
  return model;
}

struct TemporaryFolder {
  std::string path = (std::filesystem::temp_directory_path() / ("scry_checkpoint_" + std::to_string(getpid()))).string();
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return path + "/" + name; }
};

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
