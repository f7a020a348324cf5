#pragma once

#include <scry/core/tensor.hpp>

namespace scry::io {

/// The array in an IDX file, the format of MNIST (LeCun, Cortes and Burges 1998), plain or gzip: 1 to 8 axes, u8, f32 or f64;
/// signed integers of 8, 16 and 32 bits become i64. A file that is cut short, too long, no IDX file, or whose sizes its length
/// denies is an Error that names it; memory stays within eight times the (inflated) file.
Tensor read_idx(const std::string& path);

}  // namespace scry::io
