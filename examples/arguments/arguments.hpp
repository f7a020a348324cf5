#pragma once

// The command lines of the programs here. CLI11 reads them; it takes seconds to compile, so one source includes it for all.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace arguments {

/// A command line that can't be right; ends the program with status 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a program's command line may hold. Options write into variables, whose values until then are the defaults; `type` stands for the value in the
/// help. An option that is given twice takes the last value. A name without dashes is a word by its place.
class Arguments {
 public:
  Arguments(const std::string& program, const std::string& description);

  void option(const std::string& name, std::string& value, const char* type, const std::string& help);
  /// A whole number from `least` to `most`.
  void option(const std::string& name, int64_t& value, int64_t least, int64_t most, const std::string& help);
  /// A finite number, at least `least`.
  void option(const std::string& name, double& value, double least, const std::string& help);
  void flag(const std::string& name, bool& value, const std::string& help);
  void required(const std::string& name, std::string& value, const char* type, const std::string& help);
  void required(const std::string& name, std::vector<std::string>& values, const char* type, const std::string& help);
  /// What the help ends with.
  void footer(const std::string& text);

  /// A command with arguments of its own; one must then be given.
  Arguments command(const std::string& name, const std::string& description);
  bool is(const std::string& command) const;
  /// The options of a command that were given, without their dashes.
  std::set<std::string> given(const std::string& command) const;

  /// Reads the command line. False where it asked for help, which is printed. Throws UsageError.
  bool parse(int argc, char** argv);
  /// What tells more, for errors: "'classify train --help'".
  std::string help() const;
  std::string program() const;

 private:
  explicit Arguments(std::shared_ptr<CLI::App> app) : app_(std::move(app)) {}
  const CLI::App* chosen() const;
  std::string explain(const CLI::ParseError& error) const;

  std::shared_ptr<CLI::App> app_;
};

/// Reads the command line and calls `body`, which returns the exit status. What they throw becomes one line on standard error, with status 2 for a
/// UsageError, else 1; so does a standard output that can't be written.
int run(Arguments& arguments, int argc, char** argv, const std::function<int()>& body);

/// " (did you mean 'lenet'?)" where one of the known words is near, else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace arguments
