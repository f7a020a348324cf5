#pragma once

#include <scry/core/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scry::io {

using Bytes = std::vector<uint8_t>;
using ByteSpan = std::span<const uint8_t>;

/// A name from a file as errors show it: at most 100 bytes, without control characters.
std::string shown(std::string_view name);

/// Whether a folder, or a regular file, lies at `path` (or where its link leads).
bool is_folder(const std::string& path);
bool is_file(const std::string& path);

/// What the system calls one open file; closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }
  int get() const { return number_; }
  void reset(int number = -1);

 private:
  int number_;
};

/// A regular file, open for reading. Anything else at `path`, or nothing, is an Error that names it and the system's reason.
class InputFile {
 public:
  explicit InputFile(std::string path);
  const std::string& path() const { return path_; }
  /// Bytes in the file when it was opened.
  uint64_t size() const { return size_; }
  /// Fills `out` with the bytes from `offset` on; an Error where the file ends before.
  void read(uint64_t offset, std::span<uint8_t> out) const;

 private:
  std::string path_;
  Descriptor file_;
  uint64_t size_ = 0;
};

/// The whole of a regular file. One larger than the memory that is left is an Error.
Bytes read_file(const std::string& path);

/// A file that takes the place of the one at `path` all at once, or not at all: what is written goes to a hidden file in the same
/// folder, which commit() syncs and renames. A crash at any moment leaves the old file whole, and at most one hidden file, which the
/// next write to `path` takes over. Writers of the same path wait for each other. Links are followed; a path that isn't a
/// regular file is an Error, as is every failed write, a full disk among them; they name the path, and the old file stays.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Without commit() nothing stays of what was written.
  ~AtomicFile();
  void write(ByteSpan bytes);
  void commit();

 private:
  void open_temporary();
  [[noreturn]] void fail_with(const char* what, int error) const;

  std::string path_, target_, folder_, temporary_;
  Descriptor file_;
};

/// The pieces one after another as the new contents of `path`; see AtomicFile.
void write_file(const std::string& path, std::span<const ByteSpan> pieces);
inline void write_file(const std::string& path, ByteSpan bytes) { write_file(path, std::span(&bytes, 1)); }

}  // namespace scry::io
