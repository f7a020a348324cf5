// What a user can get wrong: each ends with status 2 (usage) or 1, one line that says what and what would do, and leaves nothing behind.

#include <scry/core/io/safetensors.hpp>

#include "classify_fixture.hpp"

namespace scry::test {
namespace {

using ::testing::ElementsAre;

class ClassifyRefusal : public Classify {
 protected:
  // `train` with these arguments is refused and leaves no folder.
  void refuses(const std::vector<std::string>& arguments, int status, const std::vector<std::string>& parts) const {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    expect_refusal(train(arguments), status, parts);
    EXPECT_FALSE(exists("run"));
  }
};

TEST_F(ClassifyRefusal, Commands) {
  expect_refusal(run({}), 2, {"train, evaluate or predict", "classify --help"});
  expect_refusal(run({"trian"}), 2, {"'trian'", "did you mean 'train'"});
  expect_refusal(run({"--theads", "2", "train"}), 2, {"--theads", "did you mean '--threads'"});
  expect_refusal(run({"evaluate"}), 2, {"checkpoint", "classify evaluate --help"});
  expect_refusal(run({"predict", "run"}), 2, {"images", "classify predict --help"});
  expect_refusal(run({"predict", "run", "x.png", "--top", "0"}), 2, {"--top", "'0'"});
  expect_refusal(run({"--threads", "0", "train"}), 2, {"--threads", "'0'"});
  expect_refusal(run({"--threads", "1000000000", "train"}), 2, {"--threads", "from 1 to 1024"});
}

TEST_F(ClassifyRefusal, Options) {
  refuses({"--epoch", "3"}, 2, {"--epoch ", "did you mean '--epochs'"});
  refuses({"--nonsense"}, 2, {"--nonsense"});
  refuses({"more"}, 2, {"'more'"});
  refuses({"--model", "lenett"}, 2, {"'lenett'", "did you mean 'lenet'", "cnn, lenet, mlp"});
  refuses({"--model", ""}, 2, {"--model", "cnn, lenet, mlp"});
  refuses({"--lr"}, 2, {"--lr needs a value"});
  refuses({"--lr="}, 2, {"--lr needs a value"});
  refuses({"--out", ""}, 1, {"--out"});
}

TEST_F(ClassifyRefusal, Numbers) {
  for (const char* lr : {"abc", "-1", "nan", "inf", "-inf", "1e400", "0.1x"}) refuses({"--lr=" + std::string(lr)}, 2, {"--lr", "a number"});
  for (const char* option : {"--epochs", "--batch"})
    for (const char* value : {"0", "-1", "1.5", "nan", "inf", "1e400", "99999999999999999999", "1000001", "x"})
      refuses({option, value}, 2, {option, "a whole number", "from 1 to 1000000", value});
  for (const char* seed : {"-1", "1.5", "nan", "99999999999999999999", "x"}) refuses({"--seed", seed}, 2, {"--seed", "a whole number", seed});
}

TEST_F(ClassifyRefusal, Optimizers) {
  refuses({"--optimizer", "adm"}, 2, {"--optimizer", "'adm'", "did you mean 'adam'"});
  for (const char* text : {"",
                           "adam(",
                           "adam)",
                           "adam(lr)",
                           "adam(lr=)",
                           "adam(lr=nan)",
                           "adam(lr=1e400)",
                           "adam(lr=-1)",
                           "adam(k=5)",
                           "lookahead",
                           "lookahead()",
                           "lookahead(k=5)",
                           "lookahead(adam, k=0)",
                           "lookahead(adam, alpha=2)",
                           "sgd(momentum=0.9, momentum=0.9)",
                           "adam adam",
                           "lookahead(sgd, adam)",
                           "(adam)",
                           "adam(lr=0.1",
                           "\n"})
    refuses({"--optimizer", text}, 2, {"--optimizer", "column"});
}

TEST_F(ClassifyRefusal, DataThatIsNotThere) {
  refuses({"--data", "nowhere"}, 1, {"'nowhere'", "no such folder", "fashion-mnist"});
  std::filesystem::create_directory(path("empty"));
  refuses({"--data", "empty"}, 1, {"empty", "train-images-idx3-ubyte"});
  std::filesystem::remove(path("data/t10k-labels-idx1-ubyte"));
  refuses({}, 1, {"data", "t10k-labels-idx1-ubyte"});
  refuses({"--data", "data/train-images-idx3-ubyte"}, 1, {"data/train-images-idx3-ubyte"});
}

TEST_F(ClassifyRefusal, DamagedData) {
  for (const std::string name :
       {"data/train-images-idx3-ubyte", "data/train-labels-idx1-ubyte", "data/t10k-images-idx3-ubyte", "data/t10k-labels-idx1-ubyte"}) {
    const std::string whole = read(name);
    for (const size_t length : {size_t{0}, size_t{3}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
      write(name, whole.substr(0, length));
      refuses({}, 1, {name, "cut short"});
    }
    write(name, whole + "x");
    refuses({}, 1, {name, "too long"});
    std::string bytes = whole;
    bytes[0] = 1;
    write(name, bytes);
    refuses({}, 1, {name, "wrong magic number"});
    bytes = whole;
    for (size_t i = 4; i < 8; ++i) bytes[i] = '\xff';
    write(name, bytes);
    refuses({}, 1, {name, "4294967295"});
    write(name, whole);
  }
}

TEST_F(ClassifyRefusal, DataThatDoesNotFitTogether) {
  const std::string labels = read("data/train-labels-idx1-ubyte");
  write("data/train-labels-idx1-ubyte", read("data/t10k-labels-idx1-ubyte"));
  refuses({}, 1, {"train-labels-idx1-ubyte", "100 labels", "200 images"});
  write("data/train-labels-idx1-ubyte", labels);
  write_split("data", "t10k", 20, 32);
  refuses({}, 1, {"data", "another size", "32"});
  write_split("data", "t10k", 0);
  refuses({}, 1, {"data", "test split is empty"});
  write_split("data", "train", 0);
  refuses({}, 1, {"data", "training split is empty"});
}

TEST_F(ClassifyRefusal, ImagesOfASizeThatTheNetworkCannotRead) {
  write_split("small", "train", 20, 6);
  write_split("small", "t10k", 20, 6);
  refuses({"--data", "small", "--model", "lenet"}, 1, {"lenet", "28 x 28", "6 x 6", "--model"});
  refuses({"--data", "small", "--model", "cnn"}, 1, {"cnn", "8 x 8", "6 x 6", "--model mlp"});
  EXPECT_EQ(train({"--data", "small", "--model", "mlp"}).status, 0);
}

TEST_F(ClassifyRefusal, FoldersThatCannotBeWritten) {
  write("file", "text");
  refuses({"--out", "file"}, 1, {"--out file"});
  refuses({"--out", "file/below"}, 1, {"--out file/below", "Not a directory"});
  refuses({"--out", "/proc/scry"}, 1, {"--out /proc/scry"});
  EXPECT_EQ(read("file"), "text");
  std::filesystem::create_directories(path("taken/checkpoint.safetensors"));
  refuses({"--out", "taken"}, 1, {"taken/checkpoint.safetensors", "folder"});
  EXPECT_THAT(files("taken"), ElementsAre("checkpoint.safetensors"));
}

TEST_F(ClassifyRefusal, DiskThatIsFull) {
  expect_refusal(train({"--out", "a/b"}, {.largest_file = 100'000}), 1, {"a/b/checkpoint.safetensors", "can't be written"});
  EXPECT_FALSE(exists("a"));
  ASSERT_EQ(train({}).status, 0);
  const Result result = run({"evaluate", "run", "--data", "data"}, {.out = "/dev/full"});
  expect_refusal(result, 1, {"standard output"});
}

TEST_F(ClassifyRefusal, CheckpointsThatAreNone) {
  ASSERT_EQ(train({}).status, 0);
  std::filesystem::remove(path("run/model.safetensors"));
  const std::string name = "run/checkpoint.safetensors", whole = read(name);
  const auto all_refuse = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    write(name, bytes);
    expect_refusal(run({"evaluate", "run", "--data", "data"}), 1, parts);
    expect_refusal(run({"predict", "run", "x.png"}), 1, parts);
    expect_refusal(run({"train", "--resume", "--out", "run"}), 1, parts);
    EXPECT_THAT(files("run"), ElementsAre("checkpoint.safetensors"));
    EXPECT_TRUE(read(name) == bytes);
  };
  for (const size_t length : {size_t{0}, size_t{7}, size_t{100}, whole.size() / 2, whole.size() - 1}) all_refuse(whole.substr(0, length), {name});
  all_refuse("This is a text, and no checkpoint of anything.", {name, "not a safetensors file"});

  expect_refusal(run({"evaluate", "nowhere"}), 1, {"nowhere", "No such file"});
  expect_refusal(run({"evaluate", "data"}), 1, {"data: there is no network in this folder"});
}

TEST_F(ClassifyRefusal, SafetensorsOfSomethingElse) {
  ASSERT_EQ(train({}).status, 0);
  ASSERT_EQ(train({"--model", "lenet", "--out", "lenet"}).status, 0);
  const std::string name = path("run/checkpoint.safetensors");
  const io::SafetensorsFile mlp = io::load_safetensors(name), lenet = io::load_safetensors(path("lenet/checkpoint.safetensors"));
  std::filesystem::remove(path("run/model.safetensors"));

  // What one says of itself, with the other's tensors.
  io::save_safetensors(name, lenet.tensors, mlp.metadata);
  expect_refusal(run({"evaluate", "run", "--data", "data"}), 1, {"run/checkpoint.safetensors", "don't fit this model"});
  expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"run/checkpoint.safetensors", "missing"});
  auto metadata = lenet.metadata;
  metadata["training"] = mlp.metadata.at("training");
  io::save_safetensors(name, lenet.tensors, metadata);
  expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"run/checkpoint.safetensors", "another model"});

  io::save_safetensors(name, mlp.tensors);
  expect_refusal(run({"evaluate", "run"}), 1, {"run/checkpoint.safetensors", "classify train"});
  expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"run/checkpoint.safetensors", "classify train"});

  // A description that is damaged.
  for (const char* key : {"classifier", "training", "scry"})
    for (const char* value : {"", "{", "{}", "[]", "null", "1e999", R"({"format":"scry-classifier-1","options":{}})"}) {
      SCOPED_TRACE(std::string(key) + " " + value);
      metadata = mlp.metadata;
      metadata[key] = value;
      io::save_safetensors(name, mlp.tensors, metadata);
      expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"run/checkpoint.safetensors"});
    }
  // A position that can't be.
  for (const char* position : {R"("epoch":-1,"batch":0)", R"("epoch":1,"batch":10)", R"("epoch":1e300,"batch":0)", R"("epoch":0,"batch":-1)"}) {
    SCOPED_TRACE(position);
    metadata = mlp.metadata;
    auto training = nlohmann::json::parse(metadata.at("training"));
    training.update(nlohmann::json::parse("{" + std::string(position) + "}"));
    metadata["training"] = training.dump();
    io::save_safetensors(name, mlp.tensors, metadata);
    expect_refusal(run({"train", "--resume", "--out", "run"}), 1, {"run/checkpoint.safetensors"});
  }
}

TEST_F(ClassifyRefusal, NetworksThatAreForOtherData) {
  ASSERT_EQ(train({}).status, 0);
  write_split("other", "t10k", 20, 32);
  expect_refusal(run({"evaluate", "run", "--data", "other"}), 1, {"other", "[20, 1, 32, 32]", "28 x 28"});
  expect_refusal(run({"evaluate", "run", "--data", "nowhere"}), 1, {"nowhere"});
  write_split("none", "t10k", 0);
  expect_refusal(run({"evaluate", "run", "--data", "none"}), 1, {"none"});
}

TEST_F(ClassifyRefusal, Pictures) {
  ASSERT_EQ(train({}).status, 0);
  expect_refusal(run({"predict", "run", "missing.png"}), 1, {"missing.png", "No such file"});
  expect_refusal(run({"predict", "run", "data"}), 1, {"data", "a folder"});
  write("text.png", "no picture");
  expect_refusal(run({"predict", "run", "text.png"}), 1, {"text.png", "no PNG, JPEG or BMP"});
  write("new\nline.png", "no picture");
  expect_refusal(run({"predict", "run", "new\nline.png"}), 1, {"new?line.png"});
}

}  // namespace
}  // namespace scry::test
