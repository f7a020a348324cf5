#pragma once

#include <cstddef>
#include <cstdint>

namespace scry::kernels {

/// Many lines in one place.
struct Lines {
  const std::byte* data;
  int64_t size, step;           // elements of a line, and how many elements apart they lie
  int64_t count, apart;         // lines, and how many elements apart they begin
  int64_t behind = 0;           // lines that follow these
  const void* first = nullptr;  // the first element of a reduction of which these are later parts
};

/// Rows become columns: out[j * pitch + i] = element j of row i, of `element` bytes.
void turn(const Lines& rows, size_t element, std::byte* out, int64_t pitch);

}  // namespace scry::kernels
