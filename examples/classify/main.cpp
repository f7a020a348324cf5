// Trains, tests and uses image classifiers: classify train | evaluate | predict.

#include <scry/core/parallel.hpp>
#include <csignal>

#include "commands.hpp"
#include "predict.hpp"
#include "train.hpp"
#include "words.hpp"

int main(int argc, char** argv) {
  // A limit on the size of files is then an error of whoever writes, as a full disk is, and not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  classify::Commands commands;
  arguments::Arguments line = classify::command_line(commands);
  return arguments::run(line, argc, argv, [&] {
    if (commands.threads > 0) scry::set_thread_count(static_cast<int>(commands.threads));
    scry::set_flush_denormals(true);
    if (line.is("evaluate"))
      classify::evaluate_checkpoint(commands.checkpoint, commands.data, commands.json);
    else if (line.is("predict"))
      classify::predict(commands.checkpoint, commands.images, commands.top);
    else {
      classify::TrainOptions& options = commands.train;
      options.given = line.given("train");
      options.again = classify::shell_quoted(argv[0]) + (commands.threads > 0 ? " --threads " + std::to_string(commands.threads) : "");
      return classify::train(options);
    }
    return 0;
  });
}
