#include "core/io_support.hpp"

#include <scry/core/io/npz.hpp>
#include <scry/core/memory.hpp>

#include <cstring>

using namespace scry;
using namespace scry::test;

namespace {

std::vector<NamedTensor> archive() {
  return {{"fc.weight", Tensor::of(std::vector<float>{1, -2, 0.5f, 4, 5, 6}, {2, 3})},
          {"block/fc.bias", Tensor::of(std::vector<uint8_t>{1, 2, 255}, {3})},
          {"é", Tensor::of(std::vector<int64_t>{-7}, {})},
          {"empty", Tensor::empty({0, 4}, f64)},
          {"zeros", Tensor::of(std::vector<double>(10000, 0.0), {100, 100})}};
}

template <class T>
T at(const io::Bytes& bytes, size_t offset) {
  T value;
  std::memcpy(&value, &bytes.at(offset), sizeof value);
  return value;
}
template <class T>
void set(io::Bytes& bytes, size_t offset, T value) {
  std::memcpy(&bytes.at(offset), &value, sizeof value);
}
// The places of a record's signature, from the front.
std::vector<size_t> find(const io::Bytes& bytes, const char* signature) {
  std::vector<size_t> places;
  for (size_t i = 0; i + 4 <= bytes.size(); ++i)
    if (std::memcmp(&bytes[i], signature, 4) == 0) places.push_back(i);
  return places;
}

class Npz : public ::testing::Test {
 protected:
  // An archive of two small arrays, "a" and "b", in bytes that a test may change.
  io::Bytes two(bool compress = false) {
    io::save_npz(path_, std::vector<NamedTensor>{{"a", Tensor::of(std::vector<float>(100, 1), {100})}, {"b", Tensor::of(std::vector<float>{2}, {1})}},
                 {.compress = compress});
    return io::read_file(path_);
  }
  std::string load(const io::Bytes& bytes) {
    return message_of([&] { io::load_npz(put(path_, bytes)); });
  }
  void expect(const io::Bytes& bytes, const std::vector<std::string>& parts) {
    const std::string message = load(bytes);
    EXPECT_TRUE(contains(message, path_)) << message;
    for (const auto& part : parts) EXPECT_TRUE(contains(message, part)) << "'" << message << "' lacks '" << part << "'";
  }
  TempFolder folder_;
  std::string path_ = folder_ / "f.npz";
};

constexpr const char *local = "PK\3\4", *entry = "PK\1\2";
constexpr size_t zip64_in_entry = 46 + 5 + 4;  // after a name of five characters: size, stored, begin

}  // namespace

TEST_F(Npz, GoesThereAndBack) {
  for (bool compress : {false, true}) {
    io::save_npz(path_, archive(), {.compress = compress});
    expect_same(archive(), io::load_npz(path_));
    EXPECT_EQ(io::read_file(path_).size() < 80000, compress);
  }
  io::save_npz(path_, {});
  EXPECT_TRUE(io::load_npz(path_).empty());
  EXPECT_EQ(folder_.count(), 1);
}

TEST_F(Npz, NamesThatCantBe) {
  const Tensor x = Tensor::of(std::vector<float>{2}, {1});
  for (const char* name : {"../a", "/a", "a/../b", "a//b", "a\\b", "./a"}) {
    EXPECT_FAILS(io::save_npz(path_, std::vector<NamedTensor>{{name, x}}), path_, "can't be a member's name");
    const std::string within = std::string(name) + ".npy";
    io::Bytes bytes;
    const std::string plain(within.size() - 4, 'n');
    io::save_npz(path_, std::vector<NamedTensor>{{plain, x}});
    bytes = io::read_file(path_);
    for (size_t i = 0; i + plain.size() < bytes.size(); ++i)
      if (std::memcmp(&bytes[i], plain.data(), plain.size()) == 0) std::memcpy(&bytes[i], name, plain.size());
    expect(bytes, {"can't be a member's name"});
  }
  EXPECT_FAILS(io::save_npz(path_, std::vector<NamedTensor>{{"a", x}, {"a", x}}), path_, "'a.npy' is given twice");
  EXPECT_FAILS(io::save_npz(path_, std::vector<NamedTensor>{{"a", Tensor()}}), path_, "key 'a'", "undefined");
  io::Bytes bytes = two();
  for (size_t i : find(bytes, "b.np")) bytes[i] = 'a';
  expect(bytes, {"'a.npy' is given twice"});
  bytes = two();
  for (size_t i : find(bytes, "b.np")) bytes[i + 4] = 'z';
  expect(bytes, {"'b.npz' is no .npy file"});
}

TEST_F(Npz, DamagedContents) {
  for (bool compress : {false, true}) {
    io::Bytes bytes = two(compress);
    const size_t inside = find(bytes, local)[1] - 3;
    bytes[inside] ^= 1;
    expect(bytes, {"key 'a'"});
  }
  io::Bytes bytes = two();
  set<uint32_t>(bytes, find(bytes, entry)[1] + 16, 1);
  expect(bytes, {"key 'b'", "checksum"});
  bytes = two();
  set<uint16_t>(bytes, find(bytes, entry)[0] + 10, 12);
  expect(bytes, {"'a.npy'", "method 12"});
  set<uint16_t>(bytes, find(bytes, entry)[0] + 8, 1);
  expect(bytes, {"'a.npy'", "encrypted"});
}

TEST_F(Npz, SizesThatLie) {
  for (bool compress : {false, true}) {
    const io::Bytes bytes = two(compress);
    const size_t at_size = find(bytes, entry)[0] + zip64_in_entry;
    const auto with = [&](size_t field, uint64_t value) {
      io::Bytes changed = bytes;
      set<uint64_t>(changed, at_size + 8 * field, value);
      return changed;
    };
    const auto size = at<uint64_t>(bytes, at_size), stored = at<uint64_t>(bytes, at_size + 8);
    EXPECT_EQ(size, 528u);
    const int64_t before = memory::statistics().system_bytes;
    for (uint64_t lie : {uint64_t{1} << 40, UINT64_MAX, uint64_t{INT64_MAX}}) {
      expect(with(0, lie), {"'a.npy'", text("claims ", lie)});
      expect(with(1, lie), {"'a.npy'", "beyond the members"});
      expect(with(2, lie), {"'a.npy'", "beyond the members"});
    }
    EXPECT_EQ(memory::statistics().system_bytes, before);
    expect(with(0, size + 1), {"'a", compress ? "too long" : "claims"});
    expect(with(0, size - 1), {"'a", compress ? "cut short" : "claims"});
    expect(with(1, stored - 1), {"'a"});
    expect(with(1, stored + 1), {compress ? "'b.npy' begins at byte" : "'a.npy' claims", compress ? "overlaps 'a.npy'" : "stored"});
    expect(with(2, 1), {"'a.npy' isn't where"});
    io::Bytes same = bytes;  // the second entry is the first once more, under its own name
    set<uint64_t>(same, find(same, entry)[1] + zip64_in_entry + 16, 0);
    expect(same, {"'b.npy' isn't where"});
  }
}

TEST_F(Npz, DamagedDirectories) {
  const io::Bytes bytes = two();
  const size_t end = bytes.size() - 22, end64 = end - 20 - 56;
  const auto with = [&](size_t offset, uint64_t value) {
    io::Bytes changed = bytes;
    set<uint64_t>(changed, offset, value);
    return changed;
  };
  expect(with(end - 20 + 8, UINT64_MAX - 5), {"zip64 record"});
  expect(with(end64 + 32, 3), {"directory"});
  expect(with(end64 + 32, 1), {"goes on after its 1 entries"});
  expect(with(end64 + 32, UINT64_MAX), {"too short"});
  expect(with(end64 + 40, 5), {"directory should lie"});
  expect(with(end64 + 48, UINT64_MAX), {"directory should lie"});
  io::Bytes changed = bytes;
  set<uint32_t>(changed, end64 + 16, 1);
  expect(changed, {"several parts"});
  set<uint16_t>(changed, find(changed, entry)[1] + 30, 0xffff);
  set<uint32_t>(changed, end64 + 16, 0);
  expect(changed, {"cut short"});
  expect(bytes_of("no archive"), {"not a zip archive"});
  expect({}, {"not a zip archive"});
}

TEST_F(Npz, CutAnywhereIsAnErrorAndNoChangeCrashes) {
  const io::Bytes bytes = two(true);
  for (size_t length = 0; length < bytes.size(); ++length) expect(io::Bytes(bytes.begin(), bytes.begin() + static_cast<int64_t>(length)), {});
  for (size_t i = 0; i < bytes.size(); ++i) {
    io::Bytes changed = bytes;
    changed[i] ^= static_cast<uint8_t>(1 << i % 8);
    load(changed);
  }
}

TEST_F(Npz, ArchivesWithACommentAndWithoutZip64) {
  // As other programs write them: sizes in the records themselves, a comment at the end.
  const std::string npy = [&] {
    io::save_npz(path_, std::vector<NamedTensor>{{"x", Tensor::of(std::vector<uint8_t>{7}, {1})}});
    const io::Bytes bytes = io::read_file(path_);
    return std::string(bytes.begin() + 30 + 5 + 20, bytes.begin() + 30 + 5 + 20 + 129);
  }();
  const auto u16 = [](size_t v) { return std::string{static_cast<char>(v), static_cast<char>(v >> 8)}; };
  const auto u32 = [&](size_t v) { return u16(v & 0xffff) + u16(v >> 16); };
  const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(npy.data()), static_cast<uInt>(npy.size()));
  const std::string common = u16(20) + u16(0) + u16(0) + u16(0) + u16(33) + u32(crc) + u32(npy.size()) + u32(npy.size()) + u16(5) + u16(0);
  const std::string member = "PK\3\4" + common + "x.npy" + npy;
  const std::string directory = "PK\1\2" + u16(20) + common + u16(0) + u16(0) + u16(0) + u32(0) + u32(0) + "x.npy";
  const std::string end = "PK\5\6" + u16(0) + u16(0) + u16(1) + u16(1) + u32(directory.size()) + u32(member.size());
  const auto tensors = io::load_npz(put(path_, member + directory + end + u16(4) + "done"));
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].name, "x");
  EXPECT_EQ(tensors[0].tensor.item(), 7);
}
