#pragma once

// The optimizers that an expression can name. A new one declares its kind here and takes a line in parse.cpp.

#include <scry/optim/optimizer.hpp>
#include <scry/optim/options.hpp>

namespace scry::optim {

struct OptimizerKind {
  std::string_view name;
  bool wraps;  ///< around another optimizer
  std::vector<Hyperparameter> options;
  /// Makes one with these values of the options: on a registry, or around `inner`.
  Optimizer (*make)(const Registry&, Optimizer* inner, std::span<const double> values);
};

/// The kind of a class that is made of a registry, or of an optimizer, and Options, which `fields` lists.
template <class Made, auto fields>
OptimizerKind kind_of(std::string_view name) {
  using Options = decltype(options_of(fields(), {}));
  constexpr bool wraps = std::is_constructible_v<Made, Optimizer&&, const Options&>;
  return {name, wraps, declare(fields(), Options{}), [](const Registry& registry, Optimizer* inner, std::span<const double> values) -> Optimizer {
            const Options options = options_of(fields(), values);
            if constexpr (wraps)
              return Made(std::move(*inner), options);
            else
              return Made(registry, options);
          }};
}

const OptimizerKind& sgd_kind();
const OptimizerKind& adam_kind();
const OptimizerKind& lookahead_kind();

}  // namespace scry::optim
