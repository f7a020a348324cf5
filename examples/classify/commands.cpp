#include "commands.hpp"

#include <scry/optim/parse.hpp>

#include "model.hpp"
#include "words.hpp"

namespace classify {
namespace {

using arguments::Arguments;

constexpr const char* json_help = "End with the results as one line of JSON";

void add_train(Arguments line, TrainOptions& train) {
  line.option("--data", train.data, "NAME", "fashion-mnist, or a folder of IDX files named as MNIST's");
  line.option("--model", train.model, "NAME", "One of " + joined(architectures()));
  line.option("--optimizer", train.optimizer, "TEXT", "Such as 'sgd(momentum=0.9)' or 'lookahead(adam, k=5, alpha=0.5)'; see below");
  line.option("--lr", train.lr, 0, "Learning rate, where the optimizer's text has none");
  line.option("--epochs", train.epochs, 1, most_epochs, "Times to go through the data");
  line.option("--batch", train.batch, 1, most_batch, "Images a step");
  line.option("--seed", train.seed, 0, INT64_MAX, "Of initial weights, order and dropout");
  line.option("--out", train.out, "FOLDER", "Where the network and the checkpoint are written");
  line.flag("--resume", train.resume, "Go on where the run in --out stopped, with its options; --epochs may be another");
  line.flag("--json", train.json, json_help);
  std::string optimizers = "Optimizers, with the options that they have where nothing is said:\n";
  for (const std::string& usage : scry::optim::optimizer_usages()) optimizers += "  " + usage + "\n";
  line.footer(optimizers + "Ctrl-C stops, saves, and prints the command that goes on.");
}

void add_evaluate(Arguments line, Commands& commands) {
  line.required("checkpoint", commands.checkpoint, "PATH", "Folder or file that 'train' wrote");
  line.option("--data", commands.data, "NAME", "fashion-mnist, or a folder of IDX files; its test split is used");
  line.flag("--json", commands.json, json_help);
}

void add_predict(Arguments line, Commands& commands) {
  line.required("checkpoint", commands.checkpoint, "PATH", "Folder or file that 'train' wrote");
  line.required("images", commands.images, "PATH", "PNG or JPEG files; brought to the network's size and colours");
  line.option("--top", commands.top, 1, 1'000'000, "Classes to print for each");
}

}  // namespace

Arguments command_line(Commands& commands) {
  Arguments line("classify", "Trains image classifiers, tests them, and tells what pictures show.");
  line.option("--threads", commands.threads, 1, 1024, "Threads to use (default: all processors)");
  add_train(line.command("train", "Train a classifier and test it after every epoch"), commands.train);
  add_evaluate(line.command("evaluate", "Test a trained network"), commands);
  add_predict(line.command("predict", "Tell what PNG or JPEG pictures show"), commands);
  // After the commands, which would inherit it.
  line.footer(
      "For example:\n"
      "  classify train --model lenet --optimizer 'lookahead(sgd(momentum=0.9))' --lr 0.05 --out runs/lenet\n"
      "  classify evaluate runs/lenet\n"
      "  classify predict runs/lenet shoe.png\n"
      "'classify train --help' and so on list the options of each.");
  return line;
}

}  // namespace classify
