#include <scry/core/io/gzip.hpp>
#include <scry/core/io/idx.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace scry::io {
namespace {

template <size_t Size>
struct BitsOf;
template <>
struct BitsOf<1> {
  using type = uint8_t;
};
template <>
struct BitsOf<2> {
  using type = uint16_t;
};
template <>
struct BitsOf<4> {
  using type = uint32_t;
};
template <>
struct BitsOf<8> {
  using type = uint64_t;
};

template <class T>
T big_endian(const uint8_t* bytes) {
  typename BitsOf<sizeof(T)>::type bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i) bits = static_cast<decltype(bits)>((uint64_t{bits} << 8) | bytes[i]);
  return std::bit_cast<T>(bits);
}

template <class From, class To>
void convert(const uint8_t* in, void* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) static_cast<To*>(out)[i] = static_cast<To>(big_endian<From>(in + static_cast<size_t>(i) * sizeof(From)));
}

struct FileType {
  uint8_t code;
  size_t bytes;
  DType dtype;
  void (*convert)(const uint8_t* in, void* out, int64_t count);
};
constexpr FileType file_types[] = {
    {0x08, 1, u8, [](const uint8_t* in, void* out, int64_t count) { std::memcpy(out, in, static_cast<size_t>(count)); }},
    {0x09, 1, i64, convert<int8_t, int64_t>},
    {0x0b, 2, i64, convert<int16_t, int64_t>},
    {0x0c, 4, i64, convert<int32_t, int64_t>},
    {0x0d, 4, f32, convert<float, float>},
    {0x0e, 8, f64, convert<double, double>},
};

struct Header {
  const FileType* type = nullptr;
  Shape shape;
  uint64_t start = 0;  // of the elements
  uint64_t end = 0;    // of the file
};

// The end of the file by its header; 0 where 63 bits can't count it. Sizes of zero don't excuse the others: strides multiply those.
uint64_t end_of(const Header& header) {
  int64_t bytes = static_cast<int64_t>(header.type->bytes), end = 0;
  bool overflow = false, empty = false;
  for (int64_t size : header.shape) {
    overflow |= __builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes);
    empty |= size == 0;
  }
  overflow |= __builtin_add_overflow(empty ? 0 : bytes, static_cast<int64_t>(header.start), &end);
  return overflow ? 0 : static_cast<uint64_t>(end);
}

Header parse_header(ByteSpan bytes, const std::string& path) {
  require(bytes.size() >= 4, path, ": cut short: an IDX file begins with 4 bytes of magic number, and there are ", bytes.size());
  Header header;
  for (const FileType& type : file_types)
    if (type.code == bytes[2]) header.type = &type;
  const int rank = bytes[3];
  require(bytes[0] == 0 && bytes[1] == 0 && header.type && rank >= 1 && rank <= Shape::max_rank, path, ": wrong magic number ",
          big_endian<int32_t>(bytes.data()), "; an IDX file has 2049 for labels, 2051 for images");
  header.start = 4 + 4 * static_cast<uint64_t>(rank);
  require(bytes.size() >= header.start, path, ": cut short: its header takes ", header.start, " bytes, and there are ", bytes.size());
  for (int i = 0; i < rank; ++i) header.shape.push_back(big_endian<uint32_t>(bytes.data() + 4 + 4 * i));
  header.end = end_of(header);
  require(header.end > 0, path, ": its sizes ", header.shape, " can't be true: they multiply to more than 2^63 bytes");
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
  Tensor tensor = Tensor::empty(header.shape, header.type->dtype);
  if (tensor.numel()) header.type->convert(bytes.data() + header.start, tensor.raw(), tensor.numel());
  return tensor;
}

}  // namespace scry::io
