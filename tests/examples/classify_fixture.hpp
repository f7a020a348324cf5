#pragma once

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "process.hpp"

namespace scry::test {

/// A test of the program `classify` in a temporary folder, with a data set in `data`: squares in one of four corners, so easy that any network
/// learns them in an epoch or two.
class Classify : public ::testing::Test {
 protected:
  Classify();
  ~Classify() override;

  static std::string program();
  /// A path in the test's folder.
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& folder() const { return folder_; }

  /// Runs `classify` with these arguments in the test's folder.
  Result run(const std::vector<std::string>& arguments, SpawnOptions options = {}) const;
  /// `classify train` of an mlp on the data, with these arguments more.
  Result train(const std::vector<std::string>& arguments, const SpawnOptions& options = {}) const;
  static std::vector<std::string> train_command(const std::vector<std::string>& arguments);

  /// Both files of one split.
  void write_split(const std::string& folder, const std::string& prefix, int images, int side = 28, int noise = 1) const;

  std::string read(const std::string& name) const;
  void write(const std::string& name, std::string_view bytes) const;
  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
  /// Files, hidden ones too, in a folder of the test's.
  std::vector<std::string> files(const std::string& name) const;

 private:
  std::string folder_;
};

/// Ended with `status`, nothing on standard output, and one line of error that has all the parts.
void expect_refusal(const Result& result, int status, const std::vector<std::string>& parts);

/// The JSON in the last line.
nlohmann::json last_line(const Result& result);

}  // namespace scry::test
