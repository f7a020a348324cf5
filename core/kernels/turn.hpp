#pragma once

#include <cstddef>
#include <cstdint>

namespace scry::kernels {

/// Many short rows in one place.
struct ShortRows {
  const std::byte* data;
  int64_t size, step;    // elements of a row, and how many elements apart they lie
  int64_t count, apart;  // rows, and how many elements apart they begin
  int64_t behind;        // rows that follow these
};

/// Rows become columns: out[j * pitch + i] = element j of row i, of `element` bytes.
void turn(const ShortRows& rows, size_t element, std::byte* out, int64_t pitch);

}  // namespace scry::kernels
