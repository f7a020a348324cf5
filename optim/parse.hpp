#pragma once

#include <scry/optim/optimizer.hpp>

namespace scry::optim {

/// An optimizer from text: a name, and in parentheses first the optimizer that it wraps, if it does, then options by name, as in
/// "adam", "sgd(lr=0.1, momentum=0.9, nesterov=true)", "lookahead(adam, k=6, alpha=0.5)". They nest. `defaults` are for
/// every option of that name that is left open, at any depth. An Error names the column and what is expected there.
Optimizer make_optimizer(std::string_view expression, const Registry& registry, const std::vector<OptionValue>& defaults = {});

/// Throws the Error that make_optimizer would, without making anything.
void check_optimizer(std::string_view expression, const std::vector<OptionValue>& defaults = {});

/// Every name that may appear, and its options with their usual values: "adam(lr=0.001, beta1=0.9, …)".
std::vector<std::string> optimizer_usages();

}  // namespace scry::optim
