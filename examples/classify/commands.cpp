#include "commands.hpp"

#include <scry/core/error.hpp>
#include <scry/optim/parse.hpp>

#include "model.hpp"
#include "words.hpp"

namespace classify {
namespace {

// CLI11's own ranges take NaN, cut off what is too large, and print bounds of 300 digits.
CLI::Validator whole_number(long long low, long long high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        long long value = 0;
        if (is_whole_number(text, value) && value >= low && value <= high) return std::string();
        return scry::text("expected a whole number, ", high == INT64_MAX ? scry::text("at least ", low) : scry::text("from ", low, " to ", high),
                          ", got '", text, "'");
      },
      "");
}

std::string check_rate(std::string& text) {
  double value = 0;
  return is_number(text, value) && value >= 0 ? "" : "expected a number, at least 0, got '" + text + "'";
}

// An option that the help lists with its default.
template <class T>
CLI::Option* add(CLI::App& app, const std::string& name, T& value, const char* type, const std::string& help) {
  return app.add_option(name, value, help)->type_name(type)->capture_default_str()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

constexpr const char* json_help = "End with the results as one line of JSON";

}  // namespace

Commands::Commands() {
  app_.require_subcommand(1);
  app_.fallthrough();
  app_.add_option("--threads", threads, "Threads to use (default: all processors)")
      ->type_name("NUMBER")
      ->check(whole_number(1, 1024))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_train();
  add_evaluate();
  add_predict();
  // After the commands, which would inherit it.
  app_.footer(
      "For example:\n"
      "  classify train --model lenet --optimizer 'lookahead(sgd(momentum=0.9))' --lr 0.05 --out runs/lenet\n"
      "  classify evaluate runs/lenet\n"
      "  classify predict runs/lenet shoe.png\n"
      "'classify train --help' and so on list the options of each.");
}

void Commands::add_train() {
  CLI::App& app = *app_.add_subcommand("train", "Train a classifier and test it after every epoch");
  add(app, "--data", train.data, "NAME", "fashion-mnist, or a folder of IDX files named as MNIST's");
  add(app, "--model", train.model, "NAME", "One of " + joined(architectures()));
  add(app, "--optimizer", train.optimizer, "TEXT", "Such as 'sgd(momentum=0.9)' or 'lookahead(adam, k=5, alpha=0.5)'; see below");
  add(app, "--lr", train.lr, "NUMBER", "Learning rate, where the optimizer's text has none")->check(CLI::Validator(check_rate, ""));
  add(app, "--epochs", train.epochs, "NUMBER", "Times to go through the data")->check(whole_number(1, most_epochs));
  add(app, "--batch", train.batch, "NUMBER", "Images a step")->check(whole_number(1, most_batch));
  add(app, "--seed", train.seed, "NUMBER", "Of initial weights, order and dropout")->check(whole_number(0, INT64_MAX));
  add(app, "--out", train.out, "FOLDER", "Where the network and the checkpoint are written");
  app.add_flag("--resume", train.resume, "Go on where the run in --out stopped, with its options; --epochs may be another");
  app.add_flag("--json", train.json, json_help);
  std::string optimizers = "Optimizers, with the options that they have where nothing is said:\n";
  for (const std::string& usage : scry::optim::optimizer_usages()) optimizers += "  " + usage + "\n";
  app.footer(optimizers + "Ctrl-C stops, saves, and prints the command that goes on.");
}

void Commands::add_evaluate() {
  CLI::App& app = *app_.add_subcommand("evaluate", "Test a trained network");
  app.add_option("checkpoint", checkpoint, "Folder or file that 'train' wrote")->type_name("PATH")->required();
  add(app, "--data", data, "NAME", "fashion-mnist, or a folder of IDX files; its test split is used");
  app.add_flag("--json", json, json_help);
}

void Commands::add_predict() {
  CLI::App& app = *app_.add_subcommand("predict", "Tell what PNG or JPEG pictures show");
  app.add_option("checkpoint", checkpoint, "Folder or file that 'train' wrote")->type_name("PATH")->required();
  app.add_option("images", images, "PNG or JPEG files; brought to the network's size and colours")->type_name("PATH")->required();
  add(app, "--top", top, "NUMBER", "Classes to print for each")->check(whole_number(1, 1'000'000));
}

CLI::App* Commands::command() const {
  const auto chosen = app_.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

// A word that nothing expected explains itself best; CLI11 would speak of what is missing first.
std::string Commands::explain(const CLI::ParseError& error) const {
  const std::vector<std::string> left = app_.remaining(true);
  std::vector<std::string> known;
  if (!command()) {
    for (const CLI::App* each : app_.get_subcommands([](const CLI::App*) { return true; })) known.push_back(each->get_name());
  }
  for (const CLI::App* app : {static_cast<const CLI::App*>(&app_), static_cast<const CLI::App*>(command())})
    if (app)
      for (const CLI::Option* option : app->get_options())
        if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  for (const std::string& word : left)
    if (word.size() > 1 && word[0] == '-') return "there is no option " + word + did_you_mean(word.substr(0, word.find('=')), known);
  if (!command()) {
    if (left.empty()) return "say what to do: train, evaluate or predict";
    return "there is no command '" + left.front() + "'" + did_you_mean(left.front(), known) + "; there are train, evaluate and predict";
  }
  if (!left.empty()) return "unexpected '" + left.front() + "'";
  std::string message = error.what();
  // Options that are given twice take the last value, so no other number of them is wrong.
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error)) return message.substr(0, message.find(':')) + " needs a value";
  return message;
}

std::string Commands::help() const { return "'classify " + (command() ? command()->get_name() + " " : "") + "--help'"; }

bool Commands::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app_.exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    throw UsageError(explain(error));
  }
  for (const CLI::Option* option : app_.get_subcommand("train")->get_options())
    if (option->count() > 0) train.given.insert(option->get_lnames().front());
  if (argc > 0) train.again = shell_quoted(argv[0]);
  if (threads > 0) train.again += " --threads " + std::to_string(threads);
  return true;
}

}  // namespace classify
