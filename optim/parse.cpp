#include <scry/core/suggestion.hpp>
#include <scry/optim/kinds.hpp>
#include <scry/optim/parse.hpp>
#include <algorithm>
#include <numeric>

namespace scry::optim {
namespace {

constexpr int max_depth = 16;

const std::vector<OptimizerKind>& kinds() {
  static const std::vector<OptimizerKind> all{
      sgd_kind(),     adam_kind(),    adamw_kind(),     amsgrad_kind(),    nadam_kind(),         radam_kind(),      adamax_kind(),
      rmsprop_kind(), adagrad_kind(), adadelta_kind(),  lion_kind(),       lamb_kind(),          muon_kind(),       lookahead_kind(),
      ema_kind(),     swa_kind(),     clip_norm_kind(), clip_value_kind(), adaptive_clip_kind(), accumulate_kind(), loss_scale_kind()};
  return all;
}

// An expression, read and checked.
struct Parsed {
  const OptimizerKind* kind;
  std::vector<double> values;  // of every option
  std::unique_ptr<Parsed> inner;
};

// "; did you mean 'adam'? There are: sgd, adam, lookahead"
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  std::string list;
  for (const std::string_view name : known) append_text(list, text(list.empty() ? "" : ", ", name));
  const std::string_view nearest = nearest_word(word, known);
  return nearest.empty() ? text("; there are: ", list) : text("; did you mean '", nearest, "'? There are: ", list);
}

class Parser {
 public:
  Parser(std::string_view expression, const std::vector<OptionValue>& defaults) : text_(expression), defaults_(defaults) {}

  std::unique_ptr<Parsed> parse() {
    auto parsed = optimizer(0);
    skip_space();
    if (at_ != text_.size()) fail_at(at_, text("unexpected '", text_.substr(at_, 20), "' after the end of the expression"));
    return parsed;
  }

 private:
  static bool in_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

  [[noreturn]] void fail_at(size_t position, const std::string& what) const {
    fail("optimizer '", text_.substr(0, 200), "', column ", position + 1, ": ", what);
  }
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_space();
    const bool there = at_ < text_.size() && text_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }
  std::string_view word(std::string_view expected) {
    skip_space();
    const size_t start = at_;
    while (at_ < text_.size() && in_word(text_[at_])) ++at_;
    if (at_ == start) fail_at(start, text("expected ", expected, at_ < text_.size() ? text(", got '", text_.substr(at_, 1), "'") : ", got the end"));
    return text_.substr(start, at_ - start);
  }

  std::unique_ptr<Parsed> optimizer(int depth) {
    const std::string_view name = word("the name of an optimizer");
    const size_t start = at_ - name.size();
    if (depth == max_depth) fail_at(start, text("more than ", max_depth, " optimizers inside each other"));
    auto parsed = std::make_unique<Parsed>(Parsed{find_kind(name, start), {}, nullptr});
    set_defaults(*parsed);
    std::vector<bool> given(parsed->values.size());
    if (take('(') && !take(')')) {
      argument(*parsed, given, true, depth);
      while (take(',')) argument(*parsed, given, false, depth);
      if (!take(')')) fail_at(at_, at_ < text_.size() ? text("expected ',' or ')', got '", text_.substr(at_, 1), "'") : "a ')' is missing");
    }
    if (parsed->kind->wraps && !parsed->inner) fail_at(start, text(name, " needs an optimizer inside, as in ", name, "(adam)"));
    return parsed;
  }

  const OptimizerKind* find_kind(std::string_view name, size_t position) const {
    std::vector<std::string_view> known;
    for (const OptimizerKind& kind : kinds()) {
      if (kind.name == name) return &kind;
      known.push_back(kind.name);
    }
    fail_at(position, text("there is no optimizer '", name, "'", suggestion(name, known)));
  }

  void set_defaults(Parsed& parsed) const {
    for (const Hyperparameter& field : parsed.kind->options) {
      parsed.values.push_back(field.usual);
      for (const OptionValue& each : defaults_) {
        if (each.name != field.name) continue;
        check(parsed.kind->name, field, each.value);
        parsed.values.back() = each.value;
      }
    }
  }

  // One argument: the optimizer inside, which comes first, or name=value.
  void argument(Parsed& parsed, std::vector<bool>& given, bool first, int depth) {
    skip_space();
    const size_t start = at_;
    const std::string_view name = word(first && parsed.kind->wraps ? "the name of an optimizer" : "the name of an option");
    if (!take('=')) {
      if (!parsed.kind->wraps || !first) fail_at(start, text("expected option=value, got '", name, "'"));
      at_ = start;
      parsed.inner = optimizer(depth + 1);
      return;
    }
    std::vector<std::string_view> known;
    const auto& options = parsed.kind->options;
    for (const Hyperparameter& field : options) known.push_back(field.name);
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) fail_at(start, text(parsed.kind->name, " has no option '", name, "'", suggestion(name, known)));
    const auto index = static_cast<size_t>(found - known.begin());
    if (given[index]) fail_at(start, text(name, " is given twice"));
    given[index] = true;
    parsed.values[index] = value(options[index]);
  }

  double value(const Hyperparameter& field) {
    skip_space();
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')' && text_[at_] != ' ') ++at_;
    const std::string_view written = text_.substr(start, at_ - start);
    const auto read = from_text(field, written);
    if (!read) fail_at(start, text(field.name, " is '", written, "'; expected ", expectation(field)));
    return *read;
  }

  std::string_view text_;
  const std::vector<OptionValue>& defaults_;
  size_t at_ = 0;
};

Optimizer make(const Parsed& parsed, const Registry& registry) {
  if (!parsed.inner) return parsed.kind->make(registry, nullptr, parsed.values);
  Optimizer inner = make(*parsed.inner, registry);
  return parsed.kind->make(registry, &inner, parsed.values);
}

}  // namespace

Optimizer make_optimizer(std::string_view expression, const Registry& registry, const std::vector<OptionValue>& defaults) {
  return make(*Parser(expression, defaults).parse(), registry);
}

void check_optimizer(std::string_view expression, const std::vector<OptionValue>& defaults) {
  make_optimizer(expression, Registry(std::vector<NamedTensor>{}), defaults);  // options are checked against each other where they are used
}

std::vector<std::string> optimizer_usages() {
  std::vector<std::string> usages;
  for (const OptimizerKind& kind : kinds()) {
    std::string arguments = kind.wraps ? "optimizer" : "";
    for (const Hyperparameter& field : kind.options)
      append_text(arguments, text(arguments.empty() ? "" : ", ", field.name, "=", to_text(field, field.usual)));
    usages.push_back(text(kind.name, "(", arguments, ")"));
  }
  return usages;
}

}  // namespace scry::optim
