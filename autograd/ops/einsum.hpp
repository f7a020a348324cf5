#pragma once

#include <scry/core/tensor.hpp>

namespace scry {

/// Einstein's sum: "ij,jk->ik" is the matrix product. Each operand has a letter (a-z, A-Z) for each axis, and "..." for any others, which broadcast.
/// Letters that are missing after "->" are summed over, one that is repeated within an operand takes its diagonal; axes of one letter have one size,
/// or 1. Without "->" the result has the axes of "...", then the letters that occur once, in alphabetical order. f32 or f64; operands are
/// multiplied from left to right.
Tensor einsum(std::string_view subscripts, std::span<const Tensor> operands);
Tensor einsum(std::string_view subscripts, std::initializer_list<Tensor> operands);

}  // namespace scry
