#pragma once

// The optimizers that an expression can name. A new one declares its kind here and takes a line in parse.cpp.

#include <scry/optim/optimizer.hpp>
#include <scry/optim/options.hpp>
#include <functional>

namespace scry::optim {

struct OptimizerKind {
  std::string_view name;
  bool wraps;  ///< around another optimizer
  std::vector<Hyperparameter> options;
  /// Makes one with these values of the options: on a registry, or around `inner`.
  std::function<Optimizer(const Registry&, Optimizer* inner, std::span<const double> values)> make;
};

/// The kind of a class that is made of a registry, or of an optimizer, and Options.
template <class Made, class Options>
OptimizerKind kind_of(std::string_view name, const std::vector<Field<Options>>& fields) {
  constexpr bool wraps = std::is_constructible_v<Made, Optimizer&&, const Options&>;
  OptimizerKind kind{.name = name, .wraps = wraps, .options = {}, .make = {}};
  for (const auto& field : fields) kind.options.push_back(field.info);
  kind.make = [&fields](const Registry& registry, Optimizer* inner, std::span<const double> values) -> Optimizer {
    Options options;
    for (size_t i = 0; i < values.size(); ++i) fields[i].set(options, values[i]);
    if constexpr (wraps)
      return Made(std::move(*inner), options);
    else
      return Made(registry, options);
  };
  return kind;
}

const OptimizerKind& sgd_kind();
const OptimizerKind& adam_kind();
const OptimizerKind& lookahead_kind();

}  // namespace scry::optim
