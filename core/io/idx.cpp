#include <scry/core/io/element_type.hpp>
#include <scry/core/io/gzip.hpp>
#include <scry/core/io/idx.hpp>

#include <algorithm>

namespace scry::io {
namespace {

// The codes of element types, with .npy's names for them.
constexpr std::pair<uint8_t, std::string_view> codes[] = {{0x08, "u1"}, {0x09, "i1"}, {0x0b, "i2"}, {0x0c, "i4"}, {0x0d, "f4"}, {0x0e, "f8"}};

const ElementType* type_with(uint8_t code) {
  for (const auto& [known, name] : codes)
    for (const ElementType& type : element_types())
      if (known == code && type.npy == name) return &type;
  return nullptr;
}

// A big-endian number of 32 bits.
uint32_t number_at(ByteSpan bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

struct Header {
  const ElementType* type = nullptr;
  Shape shape;
  uint64_t start = 0;  // of the elements
  uint64_t end = 0;    // of the file
};

Header parse_header(ByteSpan bytes, const std::string& path) {
  require(bytes.size() >= 4, path, ": cut short: an IDX file begins with 4 bytes of magic number, and there are ", bytes.size());
  Header header{.type = type_with(bytes[2]), .shape = {}};
  const size_t rank = bytes[3];
  require(bytes[0] == 0 && bytes[1] == 0 && header.type && rank >= 1 && rank <= Shape::max_rank, path, ": wrong magic number ",
          static_cast<int32_t>(number_at(bytes, 0)), "; an IDX file has 2049 for labels, 2051 for images");
  header.start = 4 + 4 * rank;
  require(bytes.size() >= header.start, path, ": cut short: its header takes ", header.start, " bytes, and there are ", bytes.size());
  for (size_t i = 1; i <= rank; ++i) header.shape.push_back(number_at(bytes, 4 * i));
  const std::optional<uint64_t> stored = stored_bytes(*header.type, header.shape);
  require(stored.has_value(), path, ": its sizes ", header.shape, " can't be true: they multiply to more than 2^63 bytes");
  header.end = header.start + *stored;
  return header;
}

void check_length(const Header& header, uint64_t length, const std::string& path) {
  require(length >= header.end, path, ": cut short: its sizes ", header.shape, " take ", header.end, " bytes, and there are ", length);
  require(length <= header.end, path, ": too long: its sizes ", header.shape, " take ", header.end, " bytes, and there are more");
}

}  // namespace

Tensor read_idx(const std::string& path) {
  Bytes bytes = read_file(path);
  Header header;
  if (is_gzip(bytes)) {
    // Deflate makes a byte of at most 1032, so a header that announces more needs no inflating to be a lie.
    header = parse_header(gunzip_start(bytes, 4 + 4 * Shape::max_rank, path), path);
    require(header.end / 1032 <= bytes.size(), path, ": cut short: its sizes ", header.shape, " take ", header.end, " bytes, and its ", bytes.size(),
            " bytes of gzip data can't hold them");
    bytes = gunzip_start(bytes, static_cast<size_t>(header.end) + 1, path);
  } else {
    header = parse_header(bytes, path);
  }
  check_length(header, bytes.size(), path);
  const uint8_t* at = bytes.data() + header.start;
  const auto next = [&](std::span<uint8_t> out) {
    std::copy_n(at, out.size(), out.data());
    at += out.size();
  };
  return read_elements(*header.type, header.shape, header.type->bytes > 1, next, path);
}

}  // namespace scry::io
