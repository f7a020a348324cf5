// Trains, tests and uses image classifiers: classify train | evaluate | predict.

#include <scry/core/parallel.hpp>
#include <cstdio>
#include <CLI/CLI.hpp>

#include "model.hpp"
#include "predict.hpp"
#include "train.hpp"

namespace {

constexpr int failure = 1, usage = 2;

int run(int argc, char** argv) {
  CLI::App app{"Trains image classifiers, tests them, and tells what pictures show."};
  app.require_subcommand(1);
  int threads = 0;
  app.add_option("--threads", threads, "Threads to use (default: all processors)")->check(CLI::PositiveNumber);

  classify::TrainOptions options;
  CLI::App* train = app.add_subcommand("train", "Train a classifier and test it after every epoch");
  train->add_option("--data", options.data, "fashion-mnist, or a folder of IDX files named as MNIST's")->capture_default_str();
  train->add_option("--model", options.model, "One of " + classify::architectures())->capture_default_str();
  train->add_option("--optimizer", options.optimizer, "Such as 'sgd(momentum=0.9)' or 'lookahead(adam, k=5, alpha=0.5)'")->capture_default_str();
  train->add_option("--lr", options.lr, "Learning rate, where the optimizer's expression has none")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  train->add_option("--epochs", options.epochs, "Times to go through the data")->check(CLI::PositiveNumber)->capture_default_str();
  train->add_option("--batch", options.batch, "Images a step")->check(CLI::PositiveNumber)->capture_default_str();
  train->add_option("--seed", options.seed, "Of initial weights, order and dropout")->check(CLI::NonNegativeNumber)->capture_default_str();
  train->add_option("--out", options.out, "Folder for the network and the checkpoint")->capture_default_str();
  train->add_flag("--resume", options.resume, "Go on where the run in --out stopped; of the other options only --epochs counts");
  train->add_flag("--json", options.json, "End with the results as one line of JSON");

  std::string checkpoint, data = "fashion-mnist";
  bool json = false;
  CLI::App* evaluate = app.add_subcommand("evaluate", "Test a trained network");
  evaluate->add_option("checkpoint", checkpoint, "Folder or file that 'train' wrote")->required();
  evaluate->add_option("--data", data, "As for train")->capture_default_str();
  evaluate->add_flag("--json", json, "End with the results as one line of JSON");

  std::vector<std::string> images;
  int top = 3;
  CLI::App* predict = app.add_subcommand("predict", "Tell what PNG or JPEG pictures show");
  predict->add_option("checkpoint", checkpoint, "Folder or file that 'train' wrote")->required();
  predict->add_option("images", images, "PNG or JPEG files; brought to the network's size and colours")->required();
  predict->add_option("--top", top, "Classes to print for each")->check(CLI::PositiveNumber)->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    throw classify::UsageError(error.what());
  }
  if (threads > 0) scry::set_thread_count(threads);
  scry::set_flush_denormals(true);
  if (*train) return classify::train(options);
  if (*evaluate)
    classify::evaluate_checkpoint(checkpoint, data, json);
  else
    classify::predict(checkpoint, images, top);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const classify::UsageError& error) {
    std::fprintf(stderr, "classify: %s; 'classify --help' tells more\n", error.what());
    return usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "classify: %s\n", error.what());
    return failure;
  }
}
