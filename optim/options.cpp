#include <scry/optim/options.hpp>
#include <charconv>

namespace scry::optim {
namespace {

using Kind = Hyperparameter::Kind;

bool allowed(const Hyperparameter& field, double value) {
  const Range& range = field.range;
  if (field.kind == Kind::choice) return value >= 0 && value < static_cast<double>(field.choices.size()) && value == std::trunc(value);
  if (field.kind == Kind::flag) return value == 0 || value == 1;
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
  if (!allowed(field, value)) fail(optimizer, ": ", field.name, " is ", digits(value), "; expected ", expectation(field));
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

OptionTable::OptionTable(std::string_view rule, std::vector<Hyperparameter> options) : rule_(rule), declared_(std::move(options)), groups_(1) {
  for (const Hyperparameter& option : declared_) {
    check(rule_, option, option.given);
    groups_[0].given.push_back(option.given);
  }
  groups_[0].now = groups_[0].given;
  groups_[0].own = ~uint64_t{0};
}

std::optional<size_t> OptionTable::find(std::string_view name) const {
  for (size_t i = 0; i < declared_.size(); ++i)
    if (declared_[i].name == name) return i;
  return std::nullopt;
}

std::vector<Hyperparameter> OptionTable::list(size_t group) const {
  std::vector<Hyperparameter> all = declared_;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].own = own(i, group);
    all[i].given = given(i, group);
    all[i].value = groups_[group].now[i];
  }
  return all;
}

OptionTable::Before OptionTable::put(size_t option, double value, size_t group) {
  const Hyperparameter& field = declared_[option];
  check(rule_, field, value);
  const Before before{option, group, groups_[group].now[option], groups_[group].own};
  require(!field.fixed || value == before.value, rule_, ": ", field.name, " is chosen when the optimizer is made");
  require(!field.shared || group == 0, rule_, ": ", field.name, " is the same for all parameters; no group can have its own");
  put_unchecked(option, value, group);
  return before;
}

void OptionTable::put_unchecked(size_t option, double value, size_t group) {
  groups_[group].own |= uint64_t{1} << option;
  groups_[group].now[option] = value;
  if (group != 0) return;
  for (Group& each : groups_)
    if (!(each.own >> option & 1)) each.now[option] = value;
}

void OptionTable::undo(const Before& before) {
  put_unchecked(before.option, before.value, before.group);
  groups_[before.group].own = before.own;
}

void OptionTable::add_group() { groups_.push_back({groups_[0].given, groups_[0].now, 0}); }

void OptionTable::give(size_t option, double value) {
  put(option, value, groups_.size() - 1);
  groups_.back().given[option] = value;
}

}  // namespace scry::optim
