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

OptimizerKind sgd_kind();
OptimizerKind adam_kind();
OptimizerKind adamw_kind();
OptimizerKind amsgrad_kind();
OptimizerKind nadam_kind();
OptimizerKind radam_kind();
OptimizerKind adamax_kind();
OptimizerKind rmsprop_kind();
OptimizerKind adagrad_kind();
OptimizerKind adadelta_kind();
OptimizerKind lion_kind();
OptimizerKind lamb_kind();
OptimizerKind muon_kind();
OptimizerKind lookahead_kind();
OptimizerKind ema_kind();
OptimizerKind swa_kind();
OptimizerKind clip_norm_kind();
OptimizerKind clip_value_kind();
OptimizerKind adaptive_clip_kind();
OptimizerKind accumulate_kind();
OptimizerKind loss_scale_kind();

}  // namespace scry::optim
