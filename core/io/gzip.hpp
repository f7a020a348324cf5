#pragma once

#include <scry/core/io/file.hpp>

namespace scry::io {

/// Whether `bytes` begin as gzip files do.
inline bool is_gzip(ByteSpan bytes) { return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

/// What gzip `bytes` (RFC 1952, one member or several) hold, checked against their checksums. More than `max_bytes`, bytes that are
/// cut short, damaged, or followed by something else are Errors, in which `name` stands for the bytes.
Bytes gunzip(ByteSpan bytes, size_t max_bytes, const std::string& name);

/// As gunzip, but the first `count` bytes only, and no error for what follows them. Fewer than `count` are all there are, checked.
Bytes gunzip_start(ByteSpan bytes, size_t count, const std::string& name);

/// The contents of the file at `path`, inflated where it is a gzip file. More than `max_bytes` inflated is an Error.
Bytes read_plain_or_gzip(const std::string& path, size_t max_bytes);

}  // namespace scry::io
