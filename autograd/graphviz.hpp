#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// The graph behind tensors as text for Graphviz (`dot -Tsvg`): a node for each op, with the type and shape of its result, and for each leaf, with
/// its name where `names`, such as a model's named_parameters(), or a registry has one. Arrows run from what was computed first to what was computed
/// of it.
std::string graphviz(std::span<const Tensor> outputs, std::span<const NamedTensor> names = {});
inline std::string graphviz(const Tensor& output, std::span<const NamedTensor> names = {}) { return graphviz(std::span(&output, 1), names); }

}  // namespace scry
