#pragma once

#include <scry/core/tensor.hpp>

namespace scry::io {

/// Writes a tensor of any type and layout, row-major, as NumPy's .npy file, atomically (see AtomicFile).
void save_npy(const std::string& path, const Tensor& tensor);

/// Reads an .npy file of version 1, 2 or 3 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). float64, float32, int64,
/// uint8 and bool stay what they are; float16 becomes f32; other integers become i64. Big-endian elements are turned around, and an array in
/// Fortran's order has the strides that say so. Other types, more than 8 axes, elements that the type here can't hold (a uint64 past 2^63, a
/// bool that is neither 0 nor 1), a header that isn't exactly as NumPy writes it, and a file that is cut short or goes on after the array are
/// Errors that name the file. Nothing is allocated before the header's shape has been checked against the file's size.
Tensor load_npy(const std::string& path);

}  // namespace scry::io
