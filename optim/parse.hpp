#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// A value for every option of this name that an expression leaves open, at any depth.
struct OptionDefault {
  std::string name;
  double value;
};

/// An optimizer from text: a name, and in parentheses first the optimizer that it wraps, if it does, then options by name, as in
/// "adam", "sgd(lr=0.1, momentum=0.9, nesterov=true)", "lookahead(adam, k=6, alpha=0.5)". They nest. An Error names the column and what is
/// expected there.
Optimizer make_optimizer(std::string_view expression, const Registry& registry, const std::vector<OptionDefault>& defaults = {});

/// Throws the Error that make_optimizer would, without making anything.
void check_optimizer(std::string_view expression, const std::vector<OptionDefault>& defaults = {});

/// Every name that may appear, and its options with their usual values: "adam(lr=0.001, beta1=0.9, …)".
std::vector<std::string> optimizer_usages();

}  // namespace scry::optim
