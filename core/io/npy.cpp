#include <scry/core/io/npy.hpp>
#include <scry/core/io/npy_format.hpp>
#include <scry/core/kernels/copy.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace scry::io {

Tensor read_npy(NextBytes next, uint64_t size, const std::string& what) {
  constexpr uint64_t largest_header = 1 << 16;
  uint8_t start[12]{};
  require(size >= 10, what, ": not an .npy array, or cut short: it has ", size, " bytes");
  next({start, 10});
  require(std::memcmp(start, "\x93NUMPY", 6) == 0, what, ": not an .npy array: it doesn't begin with \\x93NUMPY");
  const int version = start[6];
  require(version >= 1 && version <= 3 && start[7] == 0, what, ": is of version ", version, ".", start[7],
          " of the .npy format; 1.0 to 3.0 are known");
  uint64_t before = 10, length = start[8] | start[9] << 8;
  if (version > 1) {
    require(size >= 12, what, ": cut short: it has ", size, " bytes");
    next({start + 10, 2});
    before = 12;
    length |= uint64_t{start[10]} << 16 | uint64_t{start[11]} << 24;
  }
  require(length <= largest_header, what, ": its header would be longer than ", largest_header, " bytes");
  require(length <= size - before, what, ": cut short: its header should take ", length, " bytes, and ", size - before, " follow");
  std::string dictionary(static_cast<size_t>(length), '\0');
  next({reinterpret_cast<uint8_t*>(dictionary.data()), dictionary.size()});

  const NpyHeader header = parse_npy_header(dictionary, what);
  const std::optional<uint64_t> bytes = stored_bytes(*header.type, header.shape);
  const uint64_t left = size - before - length;
  require(bytes && *bytes <= left, what, ": cut short: shape ", header.shape, " of '", header.type->npy, "' takes ",
          bytes ? text(*bytes, " bytes") : "more bytes than 64 bits can count", ", and ", left, " follow the header");
  require(*bytes == left, what, ": too long: shape ", header.shape, " of '", header.type->npy, "' takes ", *bytes, " bytes, and ", left,
          " follow the header");
  if (!header.fortran_order) return read_elements(*header.type, header.shape, header.big_endian, next, what);

  // Fortran's order is the row-major order of the axes in reverse.
  std::array<int64_t, Shape::max_rank> sizes{}, steps{};
  const auto rank = static_cast<size_t>(header.shape.rank());
  std::reverse_copy(header.shape.begin(), header.shape.end(), sizes.begin());
  const Tensor turned = read_elements(*header.type, Shape(std::span(sizes.data(), rank)), header.big_endian, next, what);
  std::reverse_copy(turned.strides().begin(), turned.strides().end(), steps.begin());
  return Tensor::view(turned.node().storage, 0, header.shape, Shape(std::span(steps.data(), rank)), turned.dtype());
}

Tensor load_npy(const std::string& path) {
  const InputFile file(path);
  uint64_t at = 0;
  const auto next = [&](std::span<uint8_t> out) {
    file.read(at, out);
    at += out.size();
  };
  return read_npy(next, file.size(), path);
}

void save_npy(const std::string& path, const Tensor& tensor) {
  require(tensor.defined(), path, ": the tensor is undefined");
  const Tensor dense = kernels::contiguous(tensor);
  const std::string header = format_npy_header(dense);
  const ByteSpan pieces[] = {{reinterpret_cast<const uint8_t*>(header.data()), header.size()},
                             {static_cast<const uint8_t*>(dense.raw()), static_cast<size_t>(dense.numel()) * size_of(dense.dtype())}};
  write_file(path, pieces);
}

}  // namespace scry::io
