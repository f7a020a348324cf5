#pragma once

#include "support.hpp"

#include <scry/core/io/file.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <zlib.h>

namespace scry::test {

/// A folder of this test's own, removed with all that is in it.
class TempFolder {
 public:
  TempFolder() : path_(::testing::TempDir() + "scry_XXXXXX") {
    if (!::mkdtemp(path_.data())) fail("no temporary folder");
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  /// How many files there are, hidden ones too.
  int64_t count() const { return std::distance(std::filesystem::directory_iterator(path_), {}); }

 private:
  std::string path_;
};

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

inline io::Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

inline std::string put(const std::string& path, io::ByteSpan bytes) {
  std::filesystem::remove(path);               // ext4 syncs files that are cut to nothing and written anew
  std::ofstream file(path, std::ios::binary);  // not io::write_file, whose syncing takes milliseconds
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return path;
}
inline std::string put(const std::string& path, std::string_view text) { return put(path, bytes_of(text)); }

inline io::Bytes gzip(io::ByteSpan bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  io::Bytes out(deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline io::Bytes operator+(io::Bytes a, const io::Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// An IDX file: type code, sizes, elements.
inline io::Bytes idx(uint8_t type, const std::vector<uint32_t>& sizes, const io::Bytes& elements) {
  io::Bytes out{0, 0, type, static_cast<uint8_t>(sizes.size())};
  for (uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(size >> shift));
  return out + elements;
}

/// The same names, types, shapes and bits in the same order.
inline void expect_same(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_TRUE(same_bits(a[i].tensor, b[i].tensor)) << a[i].name;
  }
}

}  // namespace scry::test
