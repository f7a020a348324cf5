// Trains, tests and uses image classifiers: classify train | evaluate | predict.

#include <scry/core/parallel.hpp>
#include <csignal>
#include <cstdio>
#include <new>
#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "predict.hpp"
#include "train.hpp"

namespace {

constexpr int failure = 1, usage = 2;

// One line, whatever a file's name or contents put into the message.
void complain(std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  std::fprintf(stderr, "classify: %s\n", message.c_str());
}

int run(const classify::Commands& commands) {
  if (commands.threads > 0) scry::set_thread_count(commands.threads);
  scry::set_flush_denormals(true);
  int status = 0;
  if (commands.is("train"))
    status = classify::train(commands.train);
  else if (commands.is("evaluate"))
    classify::evaluate_checkpoint(commands.checkpoint, commands.data, commands.json);
  else
    classify::predict(commands.checkpoint, commands.images, commands.top);
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw std::runtime_error("standard output can't be written; is the disk full?");
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // A limit on the size of files is then an error of whoever writes, as a full disk is, and not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    classify::Commands commands;
    try {
      return commands.parse(argc, argv) ? run(commands) : 0;
    } catch (const classify::UsageError& error) {
      complain(std::string(error.what()) + "; " + commands.help() + " tells more");
      return usage;
    }
  } catch (const std::bad_alloc&) {
    complain("the memory is used up");
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return failure;
}
