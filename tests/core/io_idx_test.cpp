#include "core/io_support.hpp"

#include <scry/core/io/idx.hpp>

using namespace scry;
using namespace scry::test;

TEST(Idx, ReadsBytesPlainAndGzip) {
  const TempFolder folder;
  const io::Bytes file = idx(8, {2, 3}, {1, 2, 3, 4, 5, 255});
  for (const std::string& path : {put(folder / "plain", file), put(folder / "gz", gzip(file))}) {
    const Tensor x = io::read_idx(path);
    EXPECT_EQ(x.dtype(), u8);
    EXPECT_EQ(x.shape(), Shape({2, 3}));
    EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{1, 2, 3, 4, 5, 255}));
  }
}

TEST(Idx, ReadsTheOtherTypes) {
  const TempFolder folder;
  const auto read = [&](uint8_t type, const io::Bytes& elements, uint32_t count) {
    return io::read_idx(put(folder / "f", idx(type, {count}, elements)));
  };
  EXPECT_EQ(read(0x09, {0xff, 0x7f}, 2).to_vector<int64_t>(), (std::vector<int64_t>{-1, 127}));
  EXPECT_EQ(read(0x0b, {0xff, 0xfe, 0x01, 0x00}, 2).to_vector<int64_t>(), (std::vector<int64_t>{-2, 256}));
  EXPECT_EQ(read(0x0c, {0x80, 0, 0, 0, 0, 1, 0, 0}, 2).to_vector<int64_t>(), (std::vector<int64_t>{-2147483648, 65536}));
  EXPECT_EQ(read(0x0c, {0, 0, 0, 0}, 1).dtype(), i64);
  EXPECT_EQ(read(0x0d, {0xbf, 0x80, 0, 0, 0x40, 0x49, 0x0f, 0xdb}, 2).to_vector<float>(), (std::vector<float>{-1, 3.14159274f}));
  const Tensor wide = read(0x0e, {0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, 1);
  EXPECT_EQ(wide.dtype(), f64);
  EXPECT_EQ(wide.item(), 1.5);
}

TEST(Idx, SizesOfZero) {
  const TempFolder folder;
  EXPECT_EQ(io::read_idx(put(folder / "f", idx(8, {0, 28, 28}, {}))).shape(), Shape({0, 28, 28}));
  EXPECT_EQ(io::read_idx(put(folder / "f", idx(8, {0xffffffff, 0}, {}))).numel(), 0);
  EXPECT_FAILS(io::read_idx(put(folder / "f", idx(8, {0xffffffff, 0xffffffff, 0xffffffff, 0}, {}))), folder / "f", "2^63");
  EXPECT_FAILS(io::read_idx(put(folder / "f", idx(8, {0, 28, 28}, {1}))), folder / "f", "too long");
}

TEST(Idx, CutShortAnywhere) {
  const TempFolder folder;
  const io::Bytes file = idx(0x0b, {3, 2}, io::Bytes(12, 9)), packed = gzip(file);
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_FAILS(io::read_idx(put(folder / "f", io::ByteSpan(file).first(length))), folder / "f", "cut short");
  for (size_t length = 2; length < packed.size(); ++length)
    EXPECT_FAILS(io::read_idx(put(folder / "f", io::ByteSpan(packed).first(length))), folder / "f", "cut short");
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_FAILS(io::read_idx(put(folder / "f", gzip(io::ByteSpan(file).first(length)))), folder / "f", "cut short");
}

TEST(Idx, SaysWhatIsWrong) {
  const TempFolder folder;
  const std::string path = folder / "f";
  EXPECT_FAILS(io::read_idx(folder / "none"), folder / "none", "No such file");
  EXPECT_FAILS(io::read_idx(put(path, idx(8, {2}, {1, 2, 3}))), path, "too long", "[2]");
  EXPECT_FAILS(io::read_idx(put(path, gzip(idx(8, {2}, {1, 2, 3})))), path, "too long", "[2]");
  for (const io::Bytes& file : {idx(7, {2}, {1, 2}), idx(8, {}, {1}), idx(8, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1}), io::Bytes{1, 0, 8, 1, 0, 0, 0, 0},
                                bytes_of("<html><body>404</body></html>")}) {
    EXPECT_FAILS(io::read_idx(put(path, file)), path, "wrong magic number");
    EXPECT_FAILS(io::read_idx(put(path, gzip(file))), path, "wrong magic number");
  }
}

TEST(Idx, CountsThatTheLengthDenies) {
  const TempFolder folder;
  const std::string path = folder / "f";
  for (const std::vector<uint32_t>& sizes : {std::vector<uint32_t>{60001, 28, 28},
                                             {0xffffffff},
                                             {0xffffffff, 0xffffffff},
                                             {65536, 65536, 65536, 65536},
                                             {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                             {0x80000000, 0x80000000, 2, 1},
                                             {0x80000000, 0x40000000, 8}}) {
    const io::Bytes file = idx(0x0c, sizes, io::Bytes(1000, 1));
    EXPECT_FAILS(io::read_idx(put(path, file)), path, "sizes [");
    EXPECT_FAILS(io::read_idx(put(path, gzip(file))), path, "sizes [");
  }
}
