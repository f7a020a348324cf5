#pragma once

#include <scry/core/tensor.hpp>

#include <map>
#include <span>

namespace scry::io {

/// Free text that a file carries beside its tensors.
using Metadata = std::map<std::string, std::string>;

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;  ///< in the order of the file's header
  Metadata metadata;
};

/// Writes tensors of any type and layout, row-major, as a safetensors file (https://github.com/huggingface/safetensors), atomically
/// (see AtomicFile). Names must be UTF-8, different from each other, and not "__metadata__".
void save_safetensors(const std::string& path, std::span<const NamedTensor> tensors, const Metadata& metadata = {});

/// Reads a safetensors file. F64, F32, I64, U8 and BOOL stay what they are; F16 and BF16 become f32; other integers
/// become i64; other types are an Error. So is everything that the format forbids: a file that is cut short or too long, a malformed
/// header or one of over 100 MB, names or fields that are missing, unknown or given twice, offsets that overlap, leave gaps or
/// don't fit the shape, more than 8 axes, a BOOL that is neither 0 nor 1. Errors name the file and the key; nothing is allocated for
/// tensors before the whole header has been checked against the file's size.
SafetensorsFile load_safetensors(const std::string& path);

}  // namespace scry::io
