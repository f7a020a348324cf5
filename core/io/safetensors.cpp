#include <scry/core/io/file.hpp>
#include <scry/core/io/safetensors_header.hpp>
#include <scry/core/kernels/copy.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

namespace scry::io {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian, and are copied as they are");

float from_half(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 0) return (sign ? -0x1p-24f : 0x1p-24f) * static_cast<float>(fraction);
  return std::bit_cast<float>(sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13);
}
float from_bfloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

template <class From, class To, auto function = [](From value) { return static_cast<To>(value); }>
void convert(const uint8_t* in, void* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, in + i * sizeof(From), sizeof(From));
    static_cast<To*>(out)[i] = function(value);
  }
}

struct FileType {
  std::string_view name;
  size_t bytes;
  DType dtype;
  void (*convert)(const uint8_t* in, void* out, size_t count);  // null: the bytes are the values
};
constexpr FileType file_types[] = {
    {"F32", 4, f32, nullptr},
    {"F64", 8, f64, nullptr},
    {"I64", 8, i64, nullptr},
    {"U8", 1, u8, nullptr},
    {"BOOL", 1, boolean, nullptr},
    {"F16", 2, f32, convert<uint16_t, float, from_half>},
    {"BF16", 2, f32, convert<uint16_t, float, from_bfloat>},
    {"I32", 4, i64, convert<int32_t, int64_t>},
    {"I16", 2, i64, convert<int16_t, int64_t>},
    {"I8", 1, i64, convert<int8_t, int64_t>},
    {"U32", 4, i64, convert<uint32_t, int64_t>},
    {"U16", 2, i64, convert<uint16_t, int64_t>},
};

std::string_view name_in_file(DType dtype) {
  const auto* type = std::find_if(std::begin(file_types), std::end(file_types), [&](const FileType& t) { return t.dtype == dtype; });
  return type->name;  // the types that are stored as they are come first
}

const FileType& type_of(const SafetensorsEntry& entry, const std::string& path) {
  const auto* type = std::find_if(std::begin(file_types), std::end(file_types), [&](const FileType& t) { return t.name == entry.dtype; });
  require(type != std::end(file_types), path, ": key '", shown(entry.name), "' has the dtype '", shown(entry.dtype),
          "', which is not supported; F64, F32, F16, BF16, I64, I32, I16, I8, U32, U16, U8 and BOOL are");
  return *type;
}

// Sizes of zero don't excuse the others: strides multiply those.
bool fits(const SafetensorsEntry& entry, size_t element_bytes) {
  auto bytes = static_cast<int64_t>(element_bytes);
  bool empty = false;
  for (int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes)) return false;
    empty |= size == 0;
  }
  return entry.end - entry.begin == (empty ? 0 : static_cast<uint64_t>(bytes));
}

// Every byte of the data section belongs to one tensor.
void check_layout(const std::vector<SafetensorsEntry>& entries, uint64_t data_bytes, const std::string& path) {
  for (const SafetensorsEntry& entry : entries) {
    const auto require_here = [&](bool condition, const auto&... pieces) { require(condition, path, ": key '", shown(entry.name), "' ", pieces...); };
    require_here(entry.begin <= entry.end && entry.end <= data_bytes, "lies at [", entry.begin, ", ", entry.end, ") of ", data_bytes,
                 " bytes of data; is the file cut short?");
    require_here(fits(entry, type_of(entry, path).bytes), "of dtype ", entry.dtype, " and shape ", entry.shape, " doesn't take the ",
                 entry.end - entry.begin, " bytes of its data_offsets");
  }
  std::vector<const SafetensorsEntry*> order;
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  uint64_t covered = 0;
  for (const SafetensorsEntry* entry : order) {
    require(entry->begin >= covered, path, ": key '", shown(entry->name), "' begins at byte ", entry->begin, " and overlaps another that ends at ",
            covered);
    require(entry->begin == covered, path, ": key '", shown(entry->name), "' begins at byte ", entry->begin, " and leaves a gap after byte ",
            covered);
    covered = entry->end;
  }
  require(covered == data_bytes, path, ": too long: after the last tensor come ", data_bytes - covered, " bytes that belong to none");
}

Tensor read_tensor(const InputFile& file, uint64_t data_start, const SafetensorsEntry& entry) {
  const FileType& type = type_of(entry, file.path());
  Tensor tensor = Tensor::empty(entry.shape, type.dtype);
  auto* out = static_cast<uint8_t*>(tensor.raw());
  const auto count = static_cast<size_t>(tensor.numel());
  if (!type.convert) {
    file.read(data_start + entry.begin, {out, count * type.bytes});
    if (type.dtype == boolean)
      for (size_t i = 0; i < count; ++i)
        require(out[i] <= 1, file.path(), ": key '", shown(entry.name), "' is BOOL and has the byte ", out[i], " at element ", i,
                "; expected 0 or 1");
    return tensor;
  }
  Bytes piece(std::min(count, size_t{1} << 18) * type.bytes);
  for (size_t done = 0; done < count;) {
    const size_t now = std::min(count - done, size_t{1} << 18);
    file.read(data_start + entry.begin + done * type.bytes, {piece.data(), now * type.bytes});
    type.convert(piece.data(), out + done * size_of(type.dtype), now);
    done += now;
  }
  return tensor;
}

}  // namespace

SafetensorsFile load_safetensors(const std::string& path) {
  const InputFile file(path);
  uint8_t start[8];
  require(file.size() >= sizeof start, path, ": not a safetensors file, or cut short: it has ", file.size(),
          " bytes; the length of the header alone takes 8");
  file.read(0, start);
  const auto length = std::bit_cast<uint64_t>(start);
  require(length <= largest_safetensors_header, path, ": not a safetensors file: its header would be longer than ", largest_safetensors_header,
          " bytes");
  require(length <= file.size() - 8, path, ": cut short: its header should take ", length, " bytes, and ", file.size() - 8, " follow");
  std::string json(static_cast<size_t>(length), '\0');
  file.read(8, {reinterpret_cast<uint8_t*>(json.data()), json.size()});
  SafetensorsHeader header = parse_safetensors_header(json, path);
  check_layout(header.entries, file.size() - 8 - length, path);

  SafetensorsFile out;
  out.metadata = std::move(header.metadata);
  out.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    Tensor tensor = read_tensor(file, 8 + length, entry);
    out.tensors.push_back({std::move(entry.name), std::move(tensor)});
  }
  return out;
}

void save_safetensors(const std::string& path, std::span<const NamedTensor> tensors, const Metadata& metadata) {
  // The widest types first, so that every tensor lies at a multiple of its element; the header keeps the caller's order.
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (const NamedTensor& named : tensors) require(named.tensor.defined(), path, ": key '", shown(named.name), "' is an undefined tensor");
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return size_of(tensors[a].tensor.dtype()) > size_of(tensors[b].tensor.dtype()); });

  SafetensorsHeader header{.entries = std::vector<SafetensorsEntry>(tensors.size()), .metadata = metadata};
  uint64_t end = 0;
  for (size_t i : order) {
    const Tensor& tensor = tensors[i].tensor;
    const uint64_t begin = end;
    end += static_cast<uint64_t>(tensor.numel()) * size_of(tensor.dtype());
    header.entries[i] = {tensors[i].name, std::string(name_in_file(tensor.dtype())), tensor.shape(), begin, end};
  }
  const std::string json = format_safetensors_header(header, path);
  const auto length = std::bit_cast<std::array<uint8_t, 8>>(uint64_t{json.size()});

  AtomicFile file(path);
  file.write(length);
  file.write({reinterpret_cast<const uint8_t*>(json.data()), json.size()});
  for (size_t i : order) {
    const Tensor dense = kernels::contiguous(tensors[i].tensor);
    file.write({static_cast<const uint8_t*>(dense.raw()), static_cast<size_t>(dense.numel()) * size_of(dense.dtype())});
  }
  file.commit();
}

}  // namespace scry::io
