#pragma once

#include <scry/core/io/safetensors.hpp>

#include <string_view>

namespace scry::io {

inline constexpr uint64_t largest_safetensors_header = 100'000'000;

/// What a safetensors header says of one tensor.
struct SafetensorsEntry {
  std::string name, dtype;
  Shape shape;
  uint64_t begin = 0, end = 0;  ///< in the data section
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  Metadata metadata;
};

/// Reads the JSON of a header; an Error, in the name of `path`, for whatever isn't exactly as the format wants it. Offsets are not checked.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& path);

/// The JSON of a header, padded with spaces to a multiple of 8 bytes.
std::string format_safetensors_header(const SafetensorsHeader& header, const std::string& path);

}  // namespace scry::io
