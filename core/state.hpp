#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// The tensor of this name, shape and type in what `state_dict` of something gave; where there is none, an Error in the name of `owner`.
const Tensor& state_tensor(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name, const Shape& shape, DType dtype);
/// The same for a single number.
double state_number(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name);
int64_t state_integer(std::string_view owner, const std::vector<NamedTensor>& state, std::string_view name);

}  // namespace scry
