#pragma once

#include <CLI/CLI.hpp>

#include "train.hpp"

namespace classify {

/// What the command line asks for.
class Commands {
 public:
  Commands();

  /// False where it asked for help, which is printed. Throws UsageError.
  bool parse(int argc, char** argv);
  bool is(const std::string& command) const { return app_.got_subcommand(command); }

  /// The command that tells more, for errors.
  std::string help() const;

  int threads = 0;  ///< 0: not said
  TrainOptions train;
  // Of the two others.
  std::string checkpoint, data = "fashion-mnist";
  bool json = false;
  std::vector<std::string> images;
  int top = 3;

 private:
  void add_train();
  void add_evaluate();
  void add_predict();
  CLI::App* command() const;
  std::string explain(const CLI::ParseError& error) const;

  CLI::App app_{"Trains image classifiers, tests them, and tells what pictures show."};
};

}  // namespace classify
