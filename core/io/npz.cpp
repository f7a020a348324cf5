#include <scry/core/io/npy_format.hpp>
#include <scry/core/io/npz.hpp>
#include <scry/core/io/zip.hpp>
#include <scry/core/kernels/copy.hpp>

namespace scry::io {

namespace {
constexpr std::string_view extension = ".npy";
}

void save_npz(const std::string& path, std::span<const NamedTensor> tensors, const NpzOptions& options) {
  ZipWriter archive(path);
  for (const NamedTensor& named : tensors) {
    require(named.tensor.defined(), path, ": key '", shown(named.name), "' is an undefined tensor");
    const Tensor dense = kernels::contiguous(named.tensor);
    const std::string header = format_npy_header(dense);
    const ByteSpan pieces[] = {{reinterpret_cast<const uint8_t*>(header.data()), header.size()},
                               {static_cast<const uint8_t*>(dense.raw()), static_cast<size_t>(dense.numel()) * size_of(dense.dtype())}};
    archive.add(text(named.name, extension), pieces, options.compress);
  }
  archive.commit();
}

std::vector<NamedTensor> load_npz(const std::string& path) {
  const ZipReader archive(path);
  std::vector<NamedTensor> tensors;
  tensors.reserve(archive.members().size());
  for (const ZipMember& member : archive.members()) {
    require(member.name.size() > extension.size() && member.name.ends_with(extension), path, ": '", shown(member.name), "' is no .npy file");
    std::string name = member.name.substr(0, member.name.size() - extension.size());
    const std::string what = text(path, ": key '", shown(name), "'");
    ZipStream stream(archive.file(), member, what);
    Tensor tensor = read_npy([&](std::span<uint8_t> out) { stream.read(out); }, member.size, what);
    stream.finish();
    tensors.push_back({std::move(name), std::move(tensor)});
  }
  return tensors;
}

}  // namespace scry::io
