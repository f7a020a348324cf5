#pragma once

#include <scry/core/function_ref.hpp>
#include <scry/core/io/file.hpp>
#include <scry/core/tensor.hpp>

#include <optional>

namespace scry::io {

/// One way in which files store elements, and the type that takes them here.
struct ElementType {
  std::string_view safetensors;  ///< its name in a safetensors header; empty where it isn't known there
  std::string_view npy;          ///< its name in a .npy header, without the byte order; empty likewise
  size_t bytes;
  DType dtype;
  /// Converts elements, and returns how many: fewer than `count` where one has no value in `dtype`. Null: the bytes are the values.
  size_t (*convert)(const uint8_t* in, void* out, size_t count);
};

std::span<const ElementType> element_types();
/// The one that holds `dtype` as it is.
const ElementType& stored_as(DType dtype);
/// The bytes that a tensor takes in a file; nothing where they, or its strides, are past 64 bits.
std::optional<uint64_t> stored_bytes(const ElementType& type, const Shape& shape);

/// Fills what it is given with the bytes that come next.
using NextBytes = FunctionRef<void(std::span<uint8_t>)>;
/// A row-major tensor of the bytes that come next. They are all there: see stored_bytes. `what` begins the error for an element without a value.
Tensor read_elements(const ElementType& type, const Shape& shape, bool big_endian, NextBytes next, const std::string& what);

}  // namespace scry::io
