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
  double usual = 0;                             ///< where nothing is said
  double given = 0;                             ///< at construction
  double value = 0;                             ///< now, as a schedule has moved it
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
  Hyperparameter info;
  double (*get)(const Options&);
  void (*set)(Options&, double);
};

namespace detail {

template <auto member, class Options, class T>
Field<Options> make_field(T Options::*, std::string_view name, Range range, std::span<const std::string_view> choices) {
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
auto field(std::string_view name, Range range = {}, std::span<const std::string_view> choices = {}) {
  return detail::make_field<member>(member, name, range, choices);
}

/// The same, of an option that a checkpoint must share.
template <class Options>
Field<Options> identity(Field<Options> field) {
  field.info.identity = true;
  return field;
}

/// The options of one rule: as given, and as they are now.
template <class Options>
class OptionValues {
 public:
  OptionValues(std::string_view optimizer, const std::vector<Field<Options>>& fields, const Options& options)
      : optimizer_(optimizer), fields_(fields), given_(options), now_(options) {
    for (const auto& each : fields) check(optimizer, each.info, each.get(options));
  }

  const Options& now() const { return now_; }
  std::vector<Hyperparameter> list() const {
    std::vector<Hyperparameter> all;
    for (const auto& each : fields_) {
      all.push_back(each.info);
      all.back().given = each.get(given_);
      all.back().value = each.get(now_);
    }
    return all;
  }
  /// The options with one of them changed; nothing where there is none of that name.
  std::optional<Options> with(std::string_view name, double value) const {
    for (const auto& each : fields_) {
      if (each.info.name != name) continue;
      check(optimizer_, each.info, value);
      Options changed = now_;
      each.set(changed, value);
      return changed;
    }
    return std::nullopt;
  }
  /// The options with these values, in the order of `list`.
  Options with(std::span<const double> values) const {
    Options changed = now_;
    for (size_t i = 0; i < fields_.size(); ++i) {
      check(optimizer_, fields_[i].info, values[i]);
      fields_[i].set(changed, values[i]);
    }
    return changed;
  }
  void assign(const Options& options) { now_ = options; }

 private:
  std::string_view optimizer_;
  const std::vector<Field<Options>>& fields_;
  Options given_, now_;
};

}  // namespace scry::optim
