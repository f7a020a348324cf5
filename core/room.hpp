#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// A new tensor, contents unspecified. The error of one that is too large names `op`, the shape and the memory that it would take.
Tensor empty_for(const char* op, const Shape& shape, DType dtype);

/// Throws that error at once; for ops that would do much before they come to the result, or leave it to others.
void require_room(std::string_view op, const Shape& shape, DType dtype);

}  // namespace scry
