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
template <class Made, const auto& fields, class Options = typename std::remove_cvref_t<decltype(fields[0])>::Struct>
OptimizerKind kind_of(std::string_view name) {
  constexpr bool wraps = std::is_constructible_v<Made, Optimizer&&, const Options&>;
  return {name, wraps, declare<Options>(fields, Options{}),
          [](const Registry& registry, Optimizer* inner, std::span<const double> values) -> Optimizer {
            const Options options = options_of<Options>(fields, values);
            if constexpr (wraps)
              return Made(std::move(*inner), options);
            else
              return Made(registry, options);
          }};
}

const OptimizerKind& sgd_kind();
const OptimizerKind& adam_kind();
const OptimizerKind& adamw_kind();
const OptimizerKind& amsgrad_kind();
const OptimizerKind& nadam_kind();
const OptimizerKind& radam_kind();
const OptimizerKind& adamax_kind();
const OptimizerKind& rmsprop_kind();
const OptimizerKind& adagrad_kind();
const OptimizerKind& adadelta_kind();
const OptimizerKind& lion_kind();
const OptimizerKind& lamb_kind();
const OptimizerKind& muon_kind();
const OptimizerKind& lookahead_kind();
const OptimizerKind& ema_kind();
const OptimizerKind& swa_kind();
const OptimizerKind& clip_norm_kind();
const OptimizerKind& clip_value_kind();
const OptimizerKind& adaptive_clip_kind();
const OptimizerKind& accumulate_kind();
const OptimizerKind& loss_scale_kind();

}  // namespace scry::optim
