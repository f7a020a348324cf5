#include <scry/optim/options.hpp>
#include <charconv>

namespace scry::optim {
namespace {

using Kind = Hyperparameter::Kind;

bool allowed(const Hyperparameter& field, double value) {
  const Range& range = field.range;
  if (field.kind == Kind::choice) return value >= 0 && value < static_cast<double>(field.choices.size()) && value == std::trunc(value);
  if (field.kind == Kind::integer && value != std::trunc(value)) return false;
  return std::isfinite(value) && value >= range.low && (range.below_high ? value < range.high : value <= range.high);
}

// The shortest digits that read back as the same number.
std::string digits(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace

std::string expectation(const Hyperparameter& field) {
  if (field.kind == Kind::flag) return "true or false";
  if (field.kind == Kind::choice) {
    std::string names;
    for (const std::string_view name : field.choices)
      append_text(names, text(names.empty() ? "" : name == field.choices.back() ? " or " : ", ", name));
    return names;
  }
  const Range& range = field.range;
  const std::string what = field.kind == Kind::integer ? "a whole number" : "a number";
  if (range.high < 1e15) return text(what, " from ", digits(range.low), range.below_high ? " up to but not including " : " to ", digits(range.high));
  return std::isfinite(range.low) ? text(what, ", at least ", digits(range.low)) : what;
}

void check(std::string_view optimizer, const Hyperparameter& field, double value) {
  require(allowed(field, value), optimizer, ": ", field.name, " is ", digits(value), "; expected ", expectation(field));
}

std::string to_text(const Hyperparameter& field, double value) {
  if (field.kind == Kind::flag) return value != 0 ? "true" : "false";
  if (field.kind == Kind::choice) return std::string(field.choices[static_cast<size_t>(value)]);
  return digits(value);
}

std::optional<double> from_text(const Hyperparameter& field, std::string_view text) {
  if (field.kind == Kind::flag)
    return text == "true" || text == "1" ? std::optional(1.0) : text == "false" || text == "0" ? std::optional(0.0) : std::nullopt;
  if (field.kind == Kind::choice) {
    for (size_t i = 0; i < field.choices.size(); ++i)
      if (text == field.choices[i]) return static_cast<double>(i);
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !allowed(field, value)) return std::nullopt;
  return value;
}

}  // namespace scry::optim
