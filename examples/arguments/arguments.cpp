#include "arguments.hpp"

#include <scry/core/error.hpp>
#include <scry/core/suggestion.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <new>
#include <CLI/CLI.hpp>

namespace arguments {
namespace {

// CLI11's own conversions and ranges take NaN, cut off what is too large, and print bounds of 300 digits.
template <class T>
bool reads_as(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// An option whose values go to `take`, which says what is wrong with one, or nothing.
CLI::Option* add(CLI::App& app, const std::string& name, const char* type, const std::string& help,
                 std::function<std::string(const std::string&)> take) {
  return app
      .add_option(
          name, [](const CLI::results_t&) { return true; }, help)
      ->type_name(type)
      ->check(std::move(take));
}

void with_default(CLI::Option* option, const std::string& value) {
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!value.empty()) option->default_str(value);
}

auto into(std::string& value) {
  return [&value](const std::string& text) {
    value = text;
    return std::string();
  };
}

// One line, whatever a file's name or contents put into the message.
void complain(const std::string& program, std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  std::fprintf(stderr, "%s: %s\n", program.c_str(), message.c_str());
}

std::vector<std::string> commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(each->get_name());
  return names;
}

std::string listed(const std::vector<std::string>& words, const char* last) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) list += (i == 0 ? "" : i + 1 == words.size() ? last : ", ") + words[i];
  return list;
}

}  // namespace

Arguments::Arguments(const std::string& program, const std::string& description) : app_(std::make_shared<CLI::App>(description, program)) {}

void Arguments::option(const std::string& name, std::string& value, const char* type, const std::string& help) {
  with_default(add(*app_, name, type, help, into(value)), value);
}

void Arguments::option(const std::string& name, int64_t& value, int64_t least, int64_t most, const std::string& help) {
  const auto take = [&value, least, most](const std::string& text) {
    int64_t given = 0;
    if (!reads_as(text, given) || given < least || given > most)
      return scry::text("expected a whole number, ", most == INT64_MAX ? scry::text("at least ", least) : scry::text("from ", least, " to ", most),
                        ", got '", text, "'");
    value = given;
    return std::string();
  };
  with_default(add(*app_, name, "NUMBER", help, take), value < least ? "" : scry::text(value));
}

void Arguments::option(const std::string& name, double& value, double least, const std::string& help) {
  const auto take = [&value, least](const std::string& text) {
    double given = 0;
    if (!reads_as(text, given) || !std::isfinite(given) || given < least)
      return scry::text("expected a number, at least ", least, ", got '", text, "'");
    value = given;
    return std::string();
  };
  with_default(add(*app_, name, "NUMBER", help, take), scry::text(value));
}

void Arguments::flag(const std::string& name, bool& value, const std::string& help) {
  app_->add_flag_callback(
      name, [&value] { value = true; }, help);
}

void Arguments::required(const std::string& name, std::string& value, const char* type, const std::string& help) {
  add(*app_, name, type, help, into(value))->required();
}

void Arguments::required(const std::string& name, std::vector<std::string>& values, const char* type, const std::string& help) {
  const auto take = [&values](const std::string& text) {
    values.push_back(text);
    return std::string();
  };
  add(*app_, name, type, help, take)->required()->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
}

void Arguments::footer(const std::string& text) { app_->footer(text); }

Arguments Arguments::command(const std::string& name, const std::string& description) {
  app_->require_subcommand(1);
  app_->fallthrough();
  // The commands share the life of the whole.
  return Arguments(std::shared_ptr<CLI::App>(app_, app_->add_subcommand(name, description)));
}

bool Arguments::is(const std::string& command) const { return app_->got_subcommand(command); }

std::set<std::string> Arguments::given(const std::string& command) const {
  std::set<std::string> names;
  for (const CLI::Option* option : app_->get_subcommand(command)->get_options())
    if (option->count() > 0) names.insert(option->get_single_name());
  return names;
}

bool Arguments::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app_->exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    throw UsageError(explain(error));
  }
  return true;
}

const CLI::App* Arguments::chosen() const {
  const auto all = app_->get_subcommands();
  return all.empty() ? nullptr : all.front();
}

// A word that nothing expected explains itself best; CLI11 would speak of what is missing first.
std::string Arguments::explain(const CLI::ParseError& error) const {
  const std::vector<std::string> left = app_->remaining(true), commands_here = commands(*app_);
  const bool undecided = !commands_here.empty() && !chosen();
  std::vector<std::string> known = undecided ? commands_here : std::vector<std::string>();
  for (const CLI::App* app : {static_cast<const CLI::App*>(app_.get()), chosen()})
    if (app)
      for (const CLI::Option* option : app->get_options())
        if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  for (const std::string& word : left)
    if (word.size() > 1 && word[0] == '-') return "there is no option " + word + did_you_mean(word.substr(0, word.find('=')), known);
  if (undecided) {
    if (left.empty()) return "say what to do: " + listed(commands_here, " or ");
    return "there is no command '" + left.front() + "'" + did_you_mean(left.front(), known) + "; there are " + listed(commands_here, " and ");
  }
  if (!left.empty()) return "unexpected '" + left.front() + "'";
  const std::string message = error.what();
  // Options that are given twice take the last value, so no other number of them is wrong.
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error)) return message.substr(0, message.find(':')) + " needs a value";
  return message;
}

std::string Arguments::help() const { return "'" + program() + " " + (chosen() ? chosen()->get_name() + " " : "") + "--help'"; }

std::string Arguments::program() const { return app_->get_name(); }

int run(Arguments& arguments, int argc, char** argv, const std::function<int()>& body) {
  constexpr int failure = 1, usage = 2;
  const std::string program = arguments.program();
  try {
    const int status = arguments.parse(argc, argv) ? body() : 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw std::runtime_error("standard output can't be written; is the disk full?");
    return status;
  } catch (const UsageError& error) {
    complain(program, std::string(error.what()) + "; " + arguments.help() + " tells more");
    return usage;
  } catch (const std::bad_alloc&) {
    complain(program, "the memory is used up");
  } catch (const std::exception& error) {
    complain(program, error.what());
  }
  return failure;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const std::string_view nearest = scry::nearest_word(word, names);
  return nearest.empty() ? "" : " (did you mean '" + std::string(nearest) + "'?)";
}

}  // namespace arguments
