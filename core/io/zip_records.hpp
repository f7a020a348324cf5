#pragma once

#include <scry/core/io/file.hpp>

#include <bit>
#include <cstring>

// The records of a zip archive, field by field; little-endian, as this machine is.
namespace scry::io::zip {

static_assert(std::endian::native == std::endian::little);

inline constexpr uint32_t local_header = 0x04034b50, directory_entry = 0x02014b50, directory_end = 0x06054b50, directory_end64 = 0x06064b50,
                          locator64 = 0x07064b50;
inline constexpr size_t local_bytes = 30, entry_bytes = 46, end_bytes = 22, end64_bytes = 56, locator_bytes = 20;
inline constexpr uint16_t zip64_field = 1;
/// Stand for a value in the zip64 field.
inline constexpr uint16_t elsewhere16 = 0xffff;
inline constexpr uint32_t elsewhere32 = 0xffffffff;

template <class T>
T get(ByteSpan bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

template <class... T>
void put(Bytes& out, T... values) {
  const auto one = [&](auto value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof value);
  };
  (one(values), ...);
}

}  // namespace scry::io::zip
