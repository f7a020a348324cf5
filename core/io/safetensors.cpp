#include <scry/core/io/element_type.hpp>
#include <scry/core/io/safetensors_header.hpp>
#include <scry/core/kernels/copy.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace scry::io {
namespace {

const ElementType& type_of(const SafetensorsEntry& entry, const std::string& path) {
  const auto types = element_types();
  const auto type = std::find_if(types.begin(), types.end(), [&](const ElementType& t) { return t.safetensors == entry.dtype; });
  require(type != types.end(), path, ": key '", shown(entry.name), "' has the dtype '", shown(entry.dtype),
          "', which is not supported; F64, F32, F16, BF16, BOOL and the integers are");
  return *type;
}

// Every byte of the data section belongs to one tensor.
void check_layout(const std::vector<SafetensorsEntry>& entries, uint64_t data_bytes, const std::string& path) {
  for (const SafetensorsEntry& entry : entries) {
    const auto require_here = [&](bool condition, const auto&... pieces) { require(condition, path, ": key '", shown(entry.name), "' ", pieces...); };
    require_here(entry.begin <= entry.end && entry.end <= data_bytes, "lies at [", entry.begin, ", ", entry.end, ") of ", data_bytes,
                 " bytes of data; is the file cut short?");
    require_here(stored_bytes(type_of(entry, path), entry.shape) == entry.end - entry.begin, "of dtype ", entry.dtype, " and shape ", entry.shape,
                 " doesn't take the ", entry.end - entry.begin, " bytes of its data_offsets");
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
  uint64_t at = data_start + entry.begin;
  const auto next = [&](std::span<uint8_t> out) {
    file.read(at, out);
    at += out.size();
  };
  return read_elements(type_of(entry, file.path()), entry.shape, false, next, text(file.path(), ": key '", shown(entry.name), "'"));
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
    header.entries[i] = {tensors[i].name, std::string(stored_as(tensor.dtype()).safetensors), tensor.shape(), begin, end};
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
