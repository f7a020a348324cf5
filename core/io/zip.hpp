#pragma once

#include <scry/core/io/file.hpp>

#include <memory>

namespace scry::io {

/// One file in a zip archive.
struct ZipMember {
  std::string name;
  uint64_t begin = 0;   ///< of what is stored, in the archive
  uint64_t stored = 0;  ///< bytes there
  uint64_t size = 0;    ///< bytes of the contents
  uint32_t crc = 0;     ///< of the contents
  bool deflated = false;
};

/// A zip archive (APPNOTE 6.3; stored and deflated members, zip64) open for reading. A file that is cut short or damaged, an encrypted or
/// spread archive, members that overlap, are given twice, have a name that leads out of a folder, or claim to inflate to more than deflate
/// can (1032 times their bytes) are Errors that name the file and the member.
class ZipReader {
 public:
  explicit ZipReader(const std::string& path);
  const InputFile& file() const { return file_; }
  const std::vector<ZipMember>& members() const { return members_; }

 private:
  InputFile file_;
  std::vector<ZipMember> members_;
};

/// The contents of a member, from front to back; `what` begins its errors.
class ZipStream {
 public:
  ZipStream(const InputFile& file, const ZipMember& member, const std::string& what);
  ~ZipStream();
  /// The next bytes; they must be there.
  void read(std::span<uint8_t> out);
  /// Checks that all has been read, and the checksum.
  void finish();

 private:
  class Inflater;
  const InputFile& file_;
  const ZipMember& member_;
  const std::string& what_;
  std::unique_ptr<Inflater> inflater_;
  uint64_t done_ = 0;
  unsigned long crc_ = 0;
};

/// Writes a zip archive, atomically (see AtomicFile); always with zip64's fields, so that sizes don't matter.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : path_(path), file_(path) {}
  /// A member of the pieces one after the other.
  void add(const std::string& name, std::span<const ByteSpan> pieces, bool deflate);
  void commit();

 private:
  void write(ByteSpan bytes);

  std::string path_;
  AtomicFile file_;
  Bytes directory_;
  std::vector<std::string> names_;
  uint64_t at_ = 0;
};

/// Why a member can't have this name; null where it can. It is relative, with '/' between its parts, none of them empty, "." or "..".
const char* zip_name_problem(std::string_view name);

}  // namespace scry::io
