#pragma once

#include <scry/core/io/element_type.hpp>

namespace scry::io {

/// What an .npy header says.
struct NpyHeader {
  const ElementType* type = nullptr;
  bool big_endian = false, fortran_order = false;
  Shape shape;
};

/// Reads the Python dictionary of a header; an Error, begun by `what`, for whatever isn't exactly as the format wants it.
NpyHeader parse_npy_header(std::string_view dictionary, const std::string& what);

/// All that stands before the elements of a row-major array.
std::string format_npy_header(const Tensor& tensor);

/// The array in the next `size` bytes, which it must fill.
Tensor read_npy(NextBytes next, uint64_t size, const std::string& what);

}  // namespace scry::io
