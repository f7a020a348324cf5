#pragma once

#include <scry/core/tensor.hpp>
#include <iosfwd>

namespace scry {

struct PrintOptions {
  int precision = 8;         ///< digits after the point, at most
  int64_t threshold = 1000;  ///< with more elements only the first and last along each axis are shown
  int64_t edge_items = 3;    ///< so many of them
  int64_t line_width = 75;
};

/// The elements as NumPy prints them, then type and shape: "[[1.  2.5]\n [3.  4. ]]\nf32 [2, 2]". All have the same width and as many digits as the
/// one that needs most to be told from its neighbours in its type; powers of ten come where the range demands them.
std::string to_text(const Tensor& x, const PrintOptions& options = {});

std::ostream& operator<<(std::ostream& out, const Tensor& x);

}  // namespace scry
