#pragma once

#include <scry/core/tensor.hpp>
#include <vector>

namespace scry::autograd {

/// Several tensors as one of one axis, differentiably, since a node of the tape has one output. They must be f32 or f64, all of one type.
Tensor pack(const char* op, std::span<const Tensor> parts);
/// The tensors of these shapes, as views of what `pack` returned.
std::vector<Tensor> unpack(const Tensor& packed, std::span<const Shape> shapes);

/// The shapes of the parts, for `unpack`.
std::vector<Shape> shapes_of(std::span<const Tensor> parts);

}  // namespace scry::autograd
