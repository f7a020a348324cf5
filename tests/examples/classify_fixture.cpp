#include "classify_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>

namespace scry::test {
namespace {

// An IDX file of bytes.
std::string idx(const std::vector<uint32_t>& sizes, const std::string& elements) {
  std::string bytes{0, 0, 8, static_cast<char>(sizes.size())};
  for (const uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 255);
  return bytes + elements;
}

}  // namespace

Classify::Classify() : folder_(::testing::TempDir() + "classify_XXXXXX") {
  if (!::mkdtemp(folder_.data())) throw std::runtime_error("no temporary folder");
  write_split("data", "train", 200);
  write_split("data", "t10k", 100);
}

Classify::~Classify() { std::filesystem::remove_all(folder_); }

std::string Classify::program() { return SCRY_BIN_DIR "/classify"; }

Result Classify::run(const std::vector<std::string>& arguments, SpawnOptions options) const {
  std::vector<std::string> command{program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (options.folder.empty()) options.folder = folder_;
  return Process(command, options).finish();
}

std::vector<std::string> Classify::train_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"train", "--data", "data", "--model", "mlp", "--batch", "20", "--epochs", "2", "--out", "run"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

Result Classify::train(const std::vector<std::string>& arguments, const SpawnOptions& options) const {
  return run(train_command(arguments), options);
}

void Classify::write_split(const std::string& folder, const std::string& prefix, int images, int side, int noise) const {
  std::minstd_rand random(static_cast<unsigned>(noise));
  std::string pixels, labels;
  for (int i = 0; i < images; ++i) {
    const int label = i % 4, top = label / 2 * side / 2, left = label % 2 * side / 2;
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        const bool bright = y >= top && y < top + side / 2 && x >= left && x < left + side / 2;
        pixels += static_cast<char>(random() % 60 + (bright ? 150 : 0));
      }
    labels += static_cast<char>(label);
  }
  const auto n = static_cast<uint32_t>(images), s = static_cast<uint32_t>(side);
  std::filesystem::create_directories(path(folder));
  write(folder + "/" + prefix + "-images-idx3-ubyte", idx({n, s, s}, pixels));
  write(folder + "/" + prefix + "-labels-idx1-ubyte", idx({n}, labels));
}

std::string Classify::read(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

void Classify::write(const std::string& name, std::string_view bytes) const {
  std::ofstream(path(name), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::string> Classify::files(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path(name))) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

void expect_refusal(const Result& result, int status, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.status, status) << result.out << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_TRUE(result.err.starts_with("classify: ") && result.err.ends_with("\n")) << result.err;
  EXPECT_LT(result.err.size(), 500U) << result.err;
  for (const std::string& part : parts) EXPECT_THAT(result.err, ::testing::HasSubstr(part));
}

nlohmann::json last_line(const Result& result) {
  const std::string out = result.out.substr(0, result.out.size() - 1);  // without the end of the last line
  const nlohmann::json line = nlohmann::json::parse(out.substr(out.rfind('\n') + 1), nullptr, false);
  EXPECT_TRUE(line.is_object()) << result.out << result.err;
  return line;
}

}  // namespace scry::test
