#include <scry/core/io/zip.hpp>
#include <scry/core/io/zip_records.hpp>

#include <algorithm>

#include <zlib.h>

namespace scry::io {
namespace {

using namespace zip;

Bytes deflated(std::span<const ByteSpan> pieces, const std::string& path) {
  Bytes all;
  for (const ByteSpan piece : pieces) all.insert(all.end(), piece.begin(), piece.end());
  uLongf size = compressBound(all.size());
  Bytes out(size);
  require(compress(out.data(), &size, all.data(), all.size()) == Z_OK, path, ": zlib found no memory");
  return {out.data() + 2, out.data() + size - 4};  // without zlib's own frame
}

}  // namespace

void ZipWriter::write(ByteSpan bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const ByteSpan> pieces, bool deflate) {
  const char* problem = zip_name_problem(name);
  require(!problem, path_, ": '", shown(name), "' can't be a member's name: ", problem ? problem : "");
  require(std::find(names_.begin(), names_.end(), name) == names_.end(), path_, ": '", shown(name), "' is given twice");
  names_.push_back(name);

  uint64_t size = 0;
  unsigned long crc = 0;
  for (const ByteSpan piece : pieces) {
    size += piece.size();
    if (!piece.empty()) crc = crc32_z(crc, piece.data(), piece.size());  // a null pointer would begin it anew
  }
  const Bytes packed = deflate ? deflated(pieces, path_) : Bytes();
  const uint64_t stored = deflate ? packed.size() : size, begin = at_;
  // What a member's header and its entry in the directory share: version 4.5, UTF-8 names, the method, midnight of 1980-01-01, the checksum.
  Bytes common;
  put(common, uint16_t{45}, uint16_t{0x800}, static_cast<uint16_t>(deflate ? 8 : 0), uint16_t{0}, uint16_t{0x21}, static_cast<uint32_t>(crc),
      elsewhere32, elsewhere32, static_cast<uint16_t>(name.size()));
  const auto append = [](Bytes& out, const auto& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };

  Bytes header;
  put(header, local_header);
  append(header, common);
  put(header, uint16_t{20});
  append(header, name);
  put(header, zip64_field, uint16_t{16}, size, stored);
  write(header);
  if (deflate)
    write(packed);
  else
    for (const ByteSpan piece : pieces) write(piece);

  put(directory_, directory_entry, uint16_t{45});
  append(directory_, common);
  put(directory_, uint16_t{28}, uint16_t{0}, uint16_t{0}, uint16_t{0}, uint32_t{0}, elsewhere32);
  append(directory_, name);
  put(directory_, zip64_field, uint16_t{24}, size, stored, begin);
}

void ZipWriter::commit() {
  const uint64_t begin = at_, count = names_.size(), size = directory_.size();
  write(directory_);
  const uint64_t end64 = at_;
  Bytes end;
  put(end, directory_end64, uint64_t{end64_bytes - 12}, uint16_t{45}, uint16_t{45}, uint32_t{0}, uint32_t{0}, count, count, size, begin);
  put(end, locator64, uint32_t{0}, end64, uint32_t{1});
  put(end, directory_end, uint16_t{0}, uint16_t{0}, elsewhere16, elsewhere16, elsewhere32, elsewhere32, uint16_t{0});
  write(end);
  file_.commit();
}

}  // namespace scry::io
