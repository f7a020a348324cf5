#pragma once

// How an optimizer's options are declared: one table of fields, from which they are checked, read from text, printed, saved and scheduled.

#include <scry/core/error.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace scry::optim {

/// The values that an option may take.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool below_high = false;  ///< `high` itself is outside
};

inline constexpr Range any_number{-std::numeric_limits<double>::infinity()};
inline constexpr Range fraction{0, 1};
inline constexpr Range decay_rate{0, 1, true};

/// One option of an optimizer and its value; flags are 0 or 1, choices count from 0.
struct Hyperparameter {
  enum class Kind : uint8_t { number, integer, flag, choice };
  std::string_view name;
  Kind kind = Kind::number;
  Range range{};
  std::span<const std::string_view> choices{};  ///< the names of a choice's values
  bool identity = false;                        ///< a checkpoint of an optimizer that was made with another value is refused
  bool fixed = false;                           ///< chosen when the optimizer is made
  bool shared = false;                          ///< the same for all parameters: no group has its own
  double usual = 0;                             ///< where nothing is said
  double given = 0;                             ///< at construction
  double value = 0;                             ///< now, as a schedule has moved it
  bool own = true;                              ///< of a group: set there; else it follows the optimizer's
};

/// What the option may be, in words: "a number from 0 to 1".
std::string expectation(const Hyperparameter& field);
/// An Error in the optimizer's name unless the option may have this value.
void check(std::string_view optimizer, const Hyperparameter& field, double value);
/// "0.1", "true", "pull_back": a value as it is written in an expression, and the reverse; nothing where the option may not have it.
std::string to_text(const Hyperparameter& field, double value);
std::optional<double> from_text(const Hyperparameter& field, std::string_view text);

/// A field of an options struct.
template <class Options>
struct Field {
  using Struct = Options;
  Hyperparameter info;
  double (*get)(const Options&);
  void (*set)(Options&, double);
};

namespace detail {

template <auto member, class Options, class T>
constexpr Field<Options> make_field(T Options::*, std::string_view name, Range range, std::span<const std::string_view> choices) {
  using Kind = Hyperparameter::Kind;
  constexpr Kind kind = std::is_same_v<T, bool> ? Kind::flag
                        : std::is_enum_v<T>     ? Kind::choice
                        : std::is_integral_v<T> ? Kind::integer
                                                : Kind::number;
  return {{.name = name, .kind = kind, .range = range, .choices = choices, .usual = static_cast<double>(Options{}.*member)},
          [](const Options& options) { return static_cast<double>(options.*member); },
          [](Options& options, double value) { options.*member = static_cast<T>(value); }};
}

}  // namespace detail

/// `field<&AdamOptions::lr>("lr")`.
template <auto member>
constexpr auto field(std::string_view name, Range range = {}, std::span<const std::string_view> choices = {}) {
  return detail::make_field<member>(member, name, range, choices);
}

/// The same, of an option that a checkpoint must share.
template <class Options>
constexpr Field<Options> identity(Field<Options> field) {
  field.info.identity = true;
  return field;
}

/// The same, of an option that is chosen when the optimizer is made, as one on which the slots depend.
template <class Options>
constexpr Field<Options> fixed(Field<Options> field) {
  field.info.identity = field.info.fixed = field.info.shared = true;
  return field;
}

/// The same, of an option that no group can have for itself.
template <class Options>
constexpr Field<Options> shared(Field<Options> field) {
  field.info.shared = true;
  return field;
}

/// The options of one rule as numbers: as given and as they are now, for parameters outside all groups (group 0) and for each group. What a
/// group doesn't set follows the others'.
class OptionTable {
 public:
  /// Options with the values given; an Error where one is out of range.
  OptionTable(std::string_view rule, std::vector<Hyperparameter> options);

  size_t groups() const { return groups_.size(); }
  std::optional<size_t> find(std::string_view name) const;
  const Hyperparameter& declared(size_t option) const { return declared_[option]; }
  std::span<const double> values(size_t group) const { return groups_[group].now; }
  double given(size_t option, size_t group) const { return groups_[own(option, group) ? group : 0].given[option]; }
  /// Whether the group has the option for itself.
  bool own(size_t option, size_t group) const { return groups_[group].own >> option & 1; }
  std::vector<Hyperparameter> list(size_t group) const;

  /// What `put` has replaced.
  struct Before {
    size_t option, group;
    double value;
    uint64_t own;
  };
  /// Sets the option's value now, and of groups that follow it; an Error where it is out of range. Allocates nothing.
  Before put(size_t option, double value, size_t group);
  void undo(const Before& before);
  /// A group that follows in everything.
  void add_group();
  /// The same for an option that the new, last group has for itself.
  void give(size_t option, double value);

 private:
  void put_unchecked(size_t option, double value, size_t group);

  struct Group {
    std::vector<double> given, now;
    uint64_t own;  // a bit an option
  };
  std::string_view rule_;
  std::vector<Hyperparameter> declared_;
  std::vector<Group> groups_;
};

/// The declarations of a struct's options, with their values in `options`.
template <class Options>
std::vector<Hyperparameter> declare(std::span<const Field<Options>> fields, const Options& options) {
  std::vector<Hyperparameter> all;
  for (const auto& each : fields) {
    all.push_back(each.info);
    all.back().given = all.back().value = each.get(options);
  }
  return all;
}

/// The reverse.
template <class Options>
Options options_of(std::span<const Field<Options>> fields, std::span<const double> values) {
  Options options;
  for (size_t i = 0; i < values.size(); ++i) fields[i].set(options, values[i]);
  return options;
}

}  // namespace scry::optim
